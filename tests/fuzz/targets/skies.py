"""Images to learn skies from, FITS and .npz; and integrations of an array as SigMF."""

import json
import struct
from pathlib import Path
from random import Random

import numpy as np

from doamc.imaging.array_files import is_integrated, read_covariance
from doamc.skies.collected import read_skies
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled
from tests.fuzz.targets.captures import METHODS, npy, npz

IMAGES = np.arange(2.0 * 12 * 9).reshape(2, 12, 9).astype(np.float32)
#: what may lie where images are looked for
ARRAYS = (
    IMAGES, IMAGES[0], IMAGES[:0], IMAGES[..., None], IMAGES * np.nan, -IMAGES, IMAGES * 0, IMAGES.astype(">f8"),
    IMAGES.astype(np.int16), IMAGES * 1j, np.asfortranarray(IMAGES), np.array("x"), np.array(1.0),
    np.zeros((1, 1, 20000), np.float16), IMAGES.astype("M8[s]"),
)  # fmt: skip
CARDS = {"SIMPLE": "T", "BITPIX": "-32", "NAXIS": "3", "NAXIS1": "9", "NAXIS2": "12", "NAXIS3": "2"}
#: keys that change what the data are, and values
KEYS = (*CARDS, "BSCALE", "BZERO", "BLANK", "XTENSION", "PCOUNT", "GCOUNT", "ZIMAGE", "EXTEND", "CONTINUE", "BUNIT")
VALUES = ("T", "F", "-32", "-64", "8", "16", "64", "7", "0", "1", "2", "9", "999", "-3", "99999999", "1E30", "NaN",
          "'IMAGE   '", "'BINTABLE'", "'x", "", "9" * 30)  # fmt: skip
N, MADE = 3, 2
R = np.stack([np.eye(N) * (1 + k) for k in range(MADE)]).astype(np.complex64)
WORLD = {
    "core:datatype": "cf32_le", "core:version": "1.2.0", "core:num_channels": N * N, "core:sample_rate": 10.0,
    "doamc:visibilities": True, "doamc:snapshots": [100, 200], "doamc:sample_count": MADE,
}  # fmt: skip
META = {
    "global": WORLD, "captures": [{"core:sample_start": 0, "core:frequency": 433e6}], "annotations": [],
}  # fmt: skip


def fits(cards: dict[str, str], data: bytes) -> bytes:
    """A FITS file, padded to blocks of 2880 bytes."""
    lines = [f"{key:<8}= {value:>20}"[:80].ljust(80) for key, value in cards.items()] + ["END".ljust(80)]
    head = "".join(lines).encode("ascii", "replace")
    return head.ljust(-(-len(head) // 2880) * 2880) + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


def draw_skies(random: Random) -> bytes:
    """Either kind: damaged, or whole with something in it that nobody expected. The first byte tells the kind."""
    if random.random() < 0.4:
        if random.random() < 0.4:
            return b"n" + damaged(npz({"images.npy": npy(IMAGES)}, random.choice(METHODS)), random)
        return b"n" + npz({"images.npy": npy(random.choice(ARRAYS))}, random.choice(METHODS))
    cards = dict(CARDS)
    for _ in range(random.choice([0, 1, 1, 2])):
        cards[random.choice(KEYS)] = random.choice(VALUES)
    whole = fits(cards, struct.pack(f">{IMAGES.size}f", *IMAGES.ravel()))
    return b"f" + (damaged(whole, random) if random.random() < 0.5 else whole)


def use_skies(data: bytes, folder: Path) -> None:
    """Read all of them."""
    path = folder / ("in.npz" if data[:1] == b"n" else "in.fits")
    path.write_bytes(data[1:])
    for image in read_skies([path]):
        assert image.ndim == 2


def draw_recording(random: Random) -> bytes:
    """Metadata in which a few things are not as they should be, and samples that may be damaged."""
    meta = json.dumps(spoiled(META, random, tuple(WORLD), (9, 16, 1e300, [1, 2], [1, -1])))
    data = R.tobytes() if random.random() < 0.8 else damaged(R.tobytes(), random)
    text = meta.encode() if random.random() < 0.8 else damaged(meta.encode(), random)
    return len(text).to_bytes(4, "big") + text + data


def use_recording(data: bytes, folder: Path) -> None:
    """Read; what is not refused is finite where the samples are."""
    end = 4 + int.from_bytes(data[:4], "big")
    path = folder / "in.sigmf-meta"
    path.write_bytes(data[4:end])
    (folder / "in.sigmf-data").write_bytes(data[end:])
    if is_integrated(path):
        r, snapshots, _ = read_covariance(path)
        assert r.shape[0] == r.shape[1] and snapshots >= 1


TARGETS = (Target("skies", draw_skies, use_skies), Target("integrations-sigmf", draw_recording, use_recording))
