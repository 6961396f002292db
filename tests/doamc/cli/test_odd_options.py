"""Odd values of every option: one short line and exit status 2, before memory or time is taken for them."""

import argparse
import math
import re

import pytest

from doamc.cli import main, make_parser

ODD = [
    "nan", "inf", "-inf", "1e300", "-1e300", "1e-320", "1e400", str(2**63), str(2**64), str(-(2**63)), "9" * 5000,
    "", " ",
    "x" * 400, "../../x", "0x10", "1_0", "\udcff", "\x1b[2J", "\n\n", "%s", "{}", "[1]", "None", "true", "1,2", "½",
]  # fmt: skip


def options():
    """Every option with a type or choices, of every command."""
    commands = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction)).choices
    for name, parser in commands.items():
        for action in parser._actions:
            if action.option_strings and (action.type or action.choices):
                yield name, parser, action


@pytest.mark.parametrize(
    ("parser", "action"),
    [(parser, action) for _, parser, action in options()],
    ids=[f"{name} {action.option_strings[-1]}" for name, _, action in options()],
)
def test_a_value_is_taken_within_bounds_or_refused_in_one_line(parser, action, capsys):
    for text in ODD:
        try:
            value = parser._get_value(action, text)
            parser._check_value(action, value)
        except argparse.ArgumentError as error:
            with pytest.raises(SystemExit) as ended:
                parser.error(str(error))
            line = capsys.readouterr().err
            assert ended.value.code == 2 and line.count("\n") == 1 and len(line) < 550
            assert line.rstrip("\n").isprintable()
            continue
        for number in value if isinstance(value, list) else [value]:
            if isinstance(number, (int, float)):
                assert math.isfinite(number) and abs(number) <= (2**62 if isinstance(number, int) else 1e100), text


ESTIMATE = ["estimate", "{0}/in.npz", "-o", "{0}/o.npz", "--array", "ula8"]
SIZES = {
    "seed": (["simulate", "ula8", "-o", "{0}/o.npz", "--seed", 2**64], "whole number <= "),
    "threads": (["compare", "ula8", "--threads", 2**40], "whole number <= 1024"),
    "snapshots": (["simulate", "ula8", "-o", "{0}/o.npz", "--snapshots", 10**9], "at most 33554432 samples at once"),
    "batches": (["simulate", "ula8", "-o", "{0}/o.npz", "--batches", 10**9], "at most 33554432 samples at once"),
    "recording": (["simulate", "ula8", "-o", "{0}/o.sigmf-meta", "--batches", 10**6], "at most 33554432 samples"),
    "a dozen zeros": (["simulate", "ula8", "-o", "{0}/o.npz", "--batches", 10**12], "whole number <= 1000000000"),
    "SNR": (["simulate", "ula8", "-o", "{0}/o.npz", "--snr-db", "1e5"], "a number from -200 to 200"),
    "frequency": (["simulate", "ula8", "-o", "{0}/o.npz", "--frequency", "1e99"], "a number from 0.001 to 1e.12"),
    "trials": (["compare", "ula8", "--trials", 10**8], "at most 33554432 samples at once, found 160000000000 by"),
    "links": (["mimo", "--trials", 10**8], "at most 33554432 samples at once"),
    "symbols": (["mimo", "--symbols", 10**5], "at most 33554432 samples at once"),
    "grid": (["mimo", "--grid-deg", "0.1"], "a dictionary of at most 16777216 entries"),
    "strength": (["mimo", "--strength", "nan"], "number from 0 to 10"),
    "draws": (["antenna", "dipole8", "--draws", 10**9], "whole number <= 1000000"),
    "processes": (["antenna", "dipole8", "--jobs", 10**6], "whole number <= 256"),
    "far frequency": (["antenna", "dipole8wide", "--frequency", "1e12"], "expected a frequency from"),
    "minutes": (["train", "--array", "ula8", "--net", "vae", "--minutes", "1e-300"], "a number from 0.001"),
    "device": (["train", "--array", "ula8", "--net", "vae", "--device", "meta"], "a torch device such as cpu or cuda"),
    "noise": ([*ESTIMATE, "--noise-power", "1e-320"], "a number from 1e-100"),
    "noise far above": ([*ESTIMATE, "--noise-power", "1e300"], "a number from 1e-100 to 1e.100, found"),
    "noise far below": ([*ESTIMATE, "--noise-power", "1e-30"], "within 150 dB"),
    "wait": (["publish", "{0}/in.npz", "--array", "ula8", "--wait", "1e9"], "a number from 0 to 3600"),
    "rate": (["publish", "{0}/in.npz", "--array", "ula8", "--rate", "1e-30"], "a number from 1e-06"),
    "array far away": (["simulate", "uca5@1e300", "-o", "{0}/o.npz"], "a frequency, up to 1e12, in Hz after"),
    "long name": (["simulate", "ula8", "-o", "{0}/" + "x" * 240 + ".npz"], "a name of at most 230 bytes"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    assert main(["simulate", "ula8", "-o", str(folder / "in.npz"), "--batches", "2", "--snapshots", "32"]) == 0
    return folder


@pytest.mark.parametrize(("arguments", "message"), SIZES.values(), ids=SIZES)
def test_what_is_too_large_is_refused_before_it_is_begun(refused, folder, arguments, message, capsys):
    capsys.readouterr()
    line = refused(*(str(a).replace("{0}", str(folder)) for a in arguments))
    assert re.search(message, line) and len(line) < 500, line
    assert not (folder / "o.npz").exists()
