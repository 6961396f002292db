"""The array of an input for which none is named: the one that a recording tells, or that of a KrakenSDR."""

from pathlib import Path

from doamc.cli.remarks import tell
from doamc.errors import SpecificationError

#: how a KrakenSDR is wired by its manual, and its channels
KRAKENSDR, _CHANNELS = "krakensdr", 5


def array_of_input(array: str | None, path: str) -> str:
    """The array that is named; else that of a SigMF recording, which is said in a line.

    A recording tells it by ``doamc:array``, a shipped one. One of five channels that ``doamc record`` made is of a
    KrakenSDR and tells none where nobody did: its ring is then taken as the manual wires it.
    Raises SpecificationError where nothing tells an array, RecordingError where the recording cannot be read.
    """
    if array is not None:
        return array
    what = "expected an array for an input of snapshots, found none"
    if Path(path).suffix not in (".sigmf-meta", ".sigmf-data", ".sigmf"):
        raise SpecificationError(f"{what}; add --array")
    from doamc.krakensdr.replay import stretches
    from doamc.snapshots.sigmf_files import Recording
    from doamc.spec import shipped_arrays

    recording = Recording(path, verify=False)
    if recording.array in shipped_arrays():
        tell(f"{path}: the array is {recording.array}, as the recording tells; --array takes another")
        return str(recording.array)
    if recording.array is not None:
        raise SpecificationError(f"{what}; the recording is of {recording.array}, whose file --array takes")
    if recording.n_channels != _CHANNELS or not stretches(recording):
        raise SpecificationError(f"{what}; add --array")
    tell(f"{path}: the array is {KRAKENSDR}, a ring as the KrakenSDR's manual wires it; --array takes another")
    return KRAKENSDR
