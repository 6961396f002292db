"""The few descriptions of blocks that a flowgraph needs: without a cache Companion takes seconds to read all."""

import os
from pathlib import Path

import yaml
from gnuradio import gr

LIVE = Path(__file__).resolve().parents[2] / "flowgraphs" / "live_doa.grc"


def few_blocks(folder: Path) -> dict[str, str]:
    """Variables by which grcc reads, of GNU Radio's blocks, only those of live_doa.grc; links to them in a folder."""
    ids = {"options"} | {b["id"] for b in yaml.safe_load(LIVE.read_text(encoding="utf-8"))["blocks"]}
    folder.mkdir()
    for place in gr.prefs().get_string("grc", "global_blocks_path", "").split(os.pathsep):
        for file in Path(place).glob("*.yml"):
            if file.name.endswith(".domain.yml") or file.name.removesuffix(".block.yml") in ids:
                (folder / file.name).symlink_to(file)
    return {"GR_CONF_GRC_GLOBAL_BLOCKS_PATH": str(folder)}
