"""``doamc record``: the samples of a receiver as a SigMF recording, without GNU Radio."""

import argparse
import math
import re
import time
from typing import TYPE_CHECKING, Any

from doamc.cli.options import hertz, number, port, positive, seconds, whole
from doamc.errors import ReceiverError
from doamc.text import one_line, shown

if TYPE_CHECKING:
    from doamc.krakensdr import Client, Settings
    from doamc.krakensdr.recording import Tape
    from doamc.snapshots.stream_record import StreamRecorder

#: where a receiver is: scheme, name or address (of version 6 in brackets), port
_SOURCE = re.compile(r"krakensdr://(\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+)(?::(\d{1,5}))?/?")
_REPORT_S = 10.0


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "record",
        help="record a KrakenSDR as SigMF",
        description="Records the samples that can be used, with every gap and every change of the receiver annotated, "
        "until --duration is reached or it is interrupted. doamc estimate reads the recording.",
    )
    parser.add_argument("source", type=_source, metavar="krakensdr://HOST[:PORT]", help="the KrakenSDR's data server")
    parser.add_argument("-o", "--out", required=True, metavar="FILE.sigmf-meta", help="file to write, with its data")
    parser.add_argument("--version", choices=["auto", "1", "2"], default="auto", help="of its software (default: the "
                        "one that answers)")  # fmt: skip
    parser.add_argument("--duration", type=seconds, metavar="S", help="end after so many seconds of signal")
    parser.add_argument("--channels", type=whole(1, 32), metavar="M", help="expected (default: those that come first)")
    parser.add_argument("--frequency", type=hertz, metavar="HZ", help="tune to it first")
    parser.add_argument("--gain", type=_gain, metavar="DB|auto", help="set it first")
    parser.add_argument("--settling", type=number, default=4.0, metavar="S", help="of version 2: keep nothing for so "
                        "long after a change of frequency (4 s)")  # fmt: skip
    parser.add_argument("--sample-rate", type=positive, default=2.4e6, metavar="HZ", help="of version 2 (2.4e6)")
    parser.add_argument("--control-port", type=port, default=0, help="of its control server (default: by version)")
    parser.add_argument("--timeout", type=seconds, default=30.0, metavar="S", help="give up when no samples come for "
                        "so long (30 s)")  # fmt: skip
    parser.add_argument("--array", default="", metavar="NAME_OR_TOML", help="array specification: the recording "
                        "then tells where its antennas stand")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record until the duration is reached or it is interrupted; what came is kept, however it ends.

    Raises ReceiverError when no samples come, RecordingError when the files cannot be written.
    """
    from doamc.krakensdr import Client, Settings, controllers, sessions
    from doamc.krakensdr.recording import Tape, record
    from doamc.snapshots.stream_record import StreamRecorder
    from doamc.spec import load_spec

    host, data_port = args.source
    made = sessions(args.version, data_port, args.channels, settling_s=args.settling, sample_rate_hz=args.sample_rate)
    client = Client(host, made)
    settings = Settings(client, controllers(made, args.channels or 5, host, args.control_port))
    if args.frequency is not None:
        settings.order("frequency_hz", args.frequency)
    if args.gain is not None:
        settings.order("gain_db", args.gain)
    spec = load_spec(args.array, tunable=True) if args.array else None
    recorder = StreamRecorder(args.out, "" if spec is None else spec.name, f"KrakenSDR at {host}", spec)
    tape = Tape(recorder, args.duration or math.inf, args.frequency)
    news: dict[str, Any] = {}
    try:
        with client:
            settings.start()
            record(client, tape, args.timeout, _Report(client, settings, recorder, news).tick)
    except KeyboardInterrupt:  # how one without a duration ends
        if not recorder.samples:
            raise
    except ReceiverError as error:
        if recorder.samples:
            raise ReceiverError(f"{error}; {recorder.path} has what came before") from error
        raise
    finally:
        settings.stop()
        recorder.tell("receiver", news)
        recorder.tell("counters", client.counters.as_dict())
        recorder.close()
    print(f"{recorder.path}: {_progress(recorder)}{_missed(tape)}")
    return 0


class _Report:
    """Tells changes of the link, and progress now and then; keeps what the receiver tells of itself."""

    def __init__(
        self, client: "Client", settings: "Settings", recorder: "StreamRecorder", news: dict[str, Any]
    ) -> None:
        self._client, self._settings, self._recorder, self._news = client, settings, recorder, news
        self._told = ""
        self._next = time.monotonic() + _REPORT_S

    def tick(self) -> None:
        """Look whether there is something to tell."""
        client, version = self._client, self._client.version
        if version is not None:
            self._news |= {"protocol": version} | self._settings.news
        error = self._settings.error or (None if client.state == "streaming" else client.last_error)
        told = client.state + (f": {one_line(error)}" if error else "")
        if told != self._told:
            self._told = told
            print(told, flush=True)
        if time.monotonic() >= self._next:
            self._next += _REPORT_S
            print(_progress(self._recorder), flush=True)


def _progress(recorder: "StreamRecorder") -> str:
    if recorder.form is None:
        return "no samples yet"
    channels, rate_hz = recorder.form
    captures = f"{recorder.captures} capture" + "s" * (recorder.captures != 1)
    return f"{recorder.samples / rate_hz:.1f} s of {channels} channels in {captures}"


def _missed(tape: "Tape") -> str:
    told = [f"{name} {count}" for name, count in tape.kept_back.items() if count]
    return f"; kept back or lost before and between them: {', '.join(told)}" if told else ""


def _source(text: str) -> tuple[str, int]:
    match = _SOURCE.fullmatch(text)
    if match is None or not int(match[2] or 1) < 65536:
        raise argparse.ArgumentTypeError(f"expected krakensdr://HOST or krakensdr://HOST:PORT, found {shown(text)}")
    return match[1].strip("[]"), int(match[2] or 0)


def _gain(text: str) -> Any:
    return text if text == "auto" else number(text)
