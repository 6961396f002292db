"""The targets: by name, each in the module of its kind, which is imported when it is asked for."""

from importlib import import_module

from tests.fuzz.harness import Target

_MODULES = {
    "captures": ("npz", "npy", "wav", "sigmf-archive", "sigmf-metadata", "sigmf-collection", "bytes"),
    "tables": ("specification", "stations", "channels", "coupling", "truth"),
    "weights": ("weights", "prior", "belief"),
    "messages": ("message", "log", "figure"),
    "logs": ("csv-log", "sqlite-log", "bearing-log"),
    "servers": ("heimdall-header", "heimdall-stream", "heimdall-control", "suite-stream", "suite-control", "http"),
    "gateways": ("doa-value", "mapper", "suite-reply", "suite-command"),
    "replays": ("replay",),
    "visibilities": ("visibilities",),
    "soundings": ("soundings",),
    "sky": ("integrations", "sky"),
    "skies": ("skies", "integrations-sigmf"),
    "command_lines": ("command-line",),
}
#: of all targets
NAMES = tuple(name for names in _MODULES.values() for name in names)


def target(name: str) -> Target:
    """The target of a name."""
    module = next(m for m, names in _MODULES.items() if name in names)
    return next(t for t in import_module(f"tests.fuzz.targets.{module}").TARGETS if t.name == name)
