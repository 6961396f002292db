"""The tree of exceptions. A message says what was expected, what was found and what to do."""


class DoamcError(Exception):
    """Base of every error that this package raises on purpose; the command line turns it into one line, exit 2."""


class SpecificationError(DoamcError, ValueError):
    """An array specification is unknown, unreadable or contradicts itself."""


class SnapshotError(DoamcError, ValueError):
    """Received snapshots cannot be used: wrong shape, NaN or infinite samples, dead channels, too few."""


class EstimatorError(DoamcError, ValueError):
    """An estimator is unknown or does not apply to this array, batch or number of sources."""


class CheckpointError(DoamcError, ValueError):
    """Network weights are missing, damaged or were trained for another array."""


class RecordingError(DoamcError, ValueError):
    """A SigMF recording is missing, truncated or has a layout that cannot be read."""


class PublishError(DoamcError, RuntimeError):
    """Estimates cannot be published: address in use, malformed endpoint."""


class ReceiverError(DoamcError, RuntimeError):
    """A receiver's server cannot be reached, refuses a command or sends what is no frame."""


class CalibrationError(DoamcError, ValueError):
    """Channels cannot be aligned by this signal, or a calibration file or coupling matrix cannot be used."""


class SamplerError(DoamcError, ValueError):
    """A noise schedule, grid, sampler or guidance is unknown, or does not apply to this problem."""


class ImagingError(DoamcError, ValueError):
    """Visibilities cannot be imaged as asked: wrong shape, no Hermitian mask, unknown method, too large for memory."""


class DashboardError(DoamcError, RuntimeError):
    """The dashboard cannot run as asked: port in use, receivers not configured, reachable by others without a token."""


class ViewError(DoamcError, RuntimeError):
    """A view cannot be shown or a figure drawn: no graphical application, nothing to draw, unknown format."""


class KernelError(DoamcError, RuntimeError):
    """The compiled loops were given arrays that do not fit, ran out of memory, or are not those asked for."""


class ClusterError(DoamcError, RuntimeError):
    """Workers cannot be started or reached, or are not of the same version as what gives them work."""


class SlowWarning(UserWarning):
    """Something works, but far slower than it could; the message tells the cure."""
