"""Opening a capture by the kind of its file."""

from pathlib import Path

from doamc.errors import RecordingError
from doamc.files.remote import file_at
from doamc.snapshots.raw_files import SUFFIXES, RawCapture, RawForm
from doamc.snapshots.segments import Capture
from doamc.snapshots.sigmf_archive import ARCHIVE, member_of
from doamc.snapshots.sigmf_collection import COLLECTION, Collection
from doamc.snapshots.sigmf_files import Recording

_RECORDINGS = (".sigmf-meta", ".sigmf-data", ARCHIVE)
_BARE = (".npy", ".wav", ".iq", ".raw", ".bin", ".dat", *SUFFIXES)


def is_capture(path: str | Path, form: RawForm | None = None) -> bool:
    """Whether a file is a capture, to be cut into batches, rather than batches already."""
    name = Path(path).name.lower()
    known = name.endswith((*_RECORDINGS, COLLECTION, *_BARE, ".mat", ".sigmf.gz", ".sigmf.xz", ".sigmf.zip"))
    return known or _is_member(path) or (form is not None and form.datatype is not None and not name.endswith(".npz"))


def _is_member(path: str | Path) -> bool:
    """Whether it is a recording of a SigMF archive, ARCHIVE.sigmf/NAME."""
    return f"{ARCHIVE}/" in Path(path).as_posix() and member_of(file_at(path))[1] is not None


def open_capture(
    path: str | Path, n_channels: int | None = None, form: RawForm | None = None, verify: bool = True
) -> Capture:
    """A SigMF recording, archive or collection, or samples that do not describe themselves; by path or URL.

    n_channels: what is expected, None takes any. form: what a user says of bare samples. verify: as in `Recording`.
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
    if not name.endswith((COLLECTION, *_RECORDINGS)) and not _is_member(path):
        return RawCapture(path, n_channels, form)
    form.check_unused(path)
    return (Collection if name.endswith(COLLECTION) else Recording)(path, n_channels, verify)
