"""Opening a capture by the kind of its file."""

from pathlib import Path

from doamc.errors import RecordingError
from doamc.snapshots.raw_files import SUFFIXES, RawCapture, RawForm
from doamc.snapshots.segments import Capture
from doamc.snapshots.sigmf_archive import ARCHIVE
from doamc.snapshots.sigmf_collection import Collection
from doamc.snapshots.sigmf_files import Recording

_RECORDINGS = (".sigmf-meta", ".sigmf-data", ARCHIVE)
_COLLECTION = ".sigmf-collection"
_BARE = (".npy", ".wav", ".iq", ".raw", ".bin", ".dat", *SUFFIXES)


def is_capture(path: str | Path, form: RawForm | None = None) -> bool:
    """Whether a file is a capture, to be cut into batches, rather than batches already."""
    name = Path(path).name.lower()
    known = name.endswith((*_RECORDINGS, _COLLECTION, *_BARE, ".mat", ".sigmf.gz", ".sigmf.xz", ".sigmf.zip"))
    return known or (form is not None and form.datatype is not None and not name.endswith(".npz"))


def open_capture(path: str | Path, n_channels: int | None = None, form: RawForm | None = None) -> Capture:
    """A SigMF recording, archive or collection, or samples that do not describe themselves.

    n_channels: what is expected, None takes any. form: what a user says of bare samples.
    Raises RecordingError when it cannot be read, with what to do.
    """
    name, form = Path(path).name.lower(), form or RawForm()
    if name.endswith((".sigmf.gz", ".sigmf.xz", ".sigmf.zip")):
        raise RecordingError(f"{path}: expected an archive that is not compressed; unpack it and name its .sigmf-meta")
    if name.endswith(".mat"):
        raise RecordingError(
            f"{path}: .mat files are not read; save the samples as a .npy file (N, T), in Python with scipy.io.loadmat "
            "and numpy.save"
        )
    if not name.endswith((_COLLECTION, *_RECORDINGS)):
        return RawCapture(path, n_channels, form)
    form.check_unused(path)
    return (Collection if name.endswith(_COLLECTION) else Recording)(path, n_channels)
