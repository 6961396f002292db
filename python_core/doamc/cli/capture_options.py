"""Options that say of a capture what its file does not."""

import argparse
from typing import TYPE_CHECKING

from doamc.cli.options import positive, whole

if TYPE_CHECKING:
    from doamc.snapshots.raw_files import RawForm


def add_capture_arguments(parser: argparse.ArgumentParser, *rate_names: str) -> None:
    """Data type, channels, sample rate and frequency; rate_names: other names of the option ``--sample-rate``."""
    told = parser.add_argument_group("captures that do not describe themselves (.iq, .cfile, .npy, .wav, ...)")
    told.add_argument("--datatype", metavar="T", help="SigMF type of bare samples: cf32_le, ci16_le, ci8, cu8, ...")
    told.add_argument("--channels", type=whole(1), metavar="N", help="interleaved channels (default: as the array has)")
    told.add_argument("--sample-rate", *rate_names, type=positive, dest="sample_rate", metavar="HZ",
                      help="samples a second")  # fmt: skip
    told.add_argument("--ignore-positions", action="store_true",
                      help="pass over where a file says that its antennas stand")  # fmt: skip
    told.add_argument("--frequency", type=positive, metavar="HZ", help="centre frequency, in place of what is told")


def capture_form(args: argparse.Namespace) -> "RawForm":
    """What these options say."""
    from doamc.snapshots.raw_files import RawForm

    return RawForm(args.datatype, args.channels, args.sample_rate, args.frequency)
