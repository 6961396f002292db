"""Digests of what `doamc estimate` writes, by every method: equal before and after what must change nothing.

    .venv/bin/python scripts/estimate_digests.py -o before.json
    .venv/bin/python scripts/estimate_digests.py --against before.json

Digests hold on one machine with one build of torch: the last bits of a sum differ from one processor to another. Exit
status 1 where a digest differs, and then its line says which arrays of the file do. Methods that need weights which are
not there are digested by their error.
"""

import argparse
import contextlib
import hashlib
import io
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from doamc.cli import main as doamc
from doamc.files.atomic import whole_file

#: array, options of simulate
SCENES = {
    "ula8": ["--sources", "2", "--snr-db", "5"],
    "uca5": ["--sources", "2", "--snr-db", "10"],
    "kraken5": ["--sources", "1", "--snr-db", "10"],
}
METHODS = (
    "bartlett", "capon", "music", "music-smoothed", "root-music", "esprit", "rare", "fit", "comet", "ml", "map",
    "ddim-snapshot", "ddim", "em", "em:prior=true,samples=4", "sbl", "bcs", "vae", "coupling-diffusion", "posterior",
    "posterior:coherent=auto", "self-calibrating",
)  # fmt: skip
COUNTED = ("ml", "posterior", "self-calibrating")  #: also with --sources auto
TRAINED = ("batch", "snapshot", "vae", "coupling")  #: networks, three steps each


def run(words: list[str]) -> str:
    """Standard error of a command of doamc that ran in this process."""
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        try:
            doamc(words)
        except SystemExit:
            pass
    return told.getvalue().strip()


def digest(array: np.ndarray) -> str:
    """First digits of the SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def arrays_of(path: Path) -> dict[str, str]:
    """Digest of every array of an .npz file."""
    with np.load(path) as file:
        return {k: digest(file[k]) for k in sorted(file)}


def tensors_of(path: Path) -> dict[str, str]:
    """Digest of all tensors of a checkpoint; its header also tells how long the training took."""
    tensors = load_file(path)
    return {"weights": digest(np.concatenate([tensors[k].ravel().view(np.uint8) for k in sorted(tensors)]))}


def digests(folder: Path) -> dict[str, dict[str, str]]:
    """Digests of scenes, of the estimates of every method on each, and of weights after three steps of training."""
    out: dict[str, dict[str, str]] = {}
    for array, options in SCENES.items():
        scene = folder / f"{array}.npz"
        run(["simulate", array, "-o", str(scene), "--batches", "3", "--snapshots", "100", "--seed", "7", *options])
        out[f"simulate {array}"] = arrays_of(scene)
        runs = [(m, options[1]) for m in METHODS] + [(m, "auto") for m in COUNTED]
        for method, sources in runs:
            path = folder / "estimates.npz"
            path.unlink(missing_ok=True)
            words = ["estimate", str(scene), "--array", array, "--method", method, "--sources", sources, "--seed", "3"]
            error = run([*words, "-o", str(path)])
            out[f"{array} {method} {sources}"] = arrays_of(path) if path.exists() else {"error": error}
    for net in TRAINED:
        path = folder / f"{net}.safetensors"
        error = run(["train", "--array", "ula4", "--net", net, "--steps", "3", "--threads", "1", "--out", str(path)])
        out[f"train {net}"] = tensors_of(path) if path.exists() else {"error": error}
    return out


def main() -> int:
    """Write digests, or compare with those of a file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("-o", "--out", type=Path, help="file to write")
    which.add_argument("--against", type=Path, help="file of digests to compare with")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = digests(Path(folder))
    if args.out:
        with whole_file(args.out) as file:
            file.write((json.dumps(found, indent=1) + "\n").encode())
        return 0
    before = json.loads(args.against.read_text())
    different = 0
    for name in sorted(before.keys() | found.keys()):
        a, b = before.get(name, {}), found.get(name, {})
        changed = [k for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k)]
        if changed:
            different += 1
            print(f"{name}: {', '.join(changed)} differ")
    print(f"{len(found)} digests, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
