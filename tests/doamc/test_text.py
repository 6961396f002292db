"""Text of others before a terminal sees it."""

import io

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from doamc.text import REASON, SHOWN, one_line, printable, reason, shown


def test_letters_of_all_scripts_and_blanks_stay():
    for text in ("ula8", "Дача 7 – 東京", "a\u00a0b\u2009c", "−12.5° ± 0.3°", ""):
        assert printable(text) == text


def test_what_a_terminal_obeys_is_replaced_one_for_one():
    assert printable("\x1b[2J\r\n\t\x00\x7f\x9b\u200b\u202e\u2028\ud800") == "\ufffd[2J" + 10 * "\ufffd"


def test_long_ones_are_cut():
    assert printable("x" * 100, 10) == "x" * 9 + "…" and printable("x" * 10, 10) == "x" * 10


def test_what_a_message_tells_of_others_is_one_short_line():
    assert one_line("a\n  b\x1b[2J") == "a b\ufffd[2J" and one_line("a b", 2) == "a…"
    assert shown("a\nb") == r"'a\nb'" and len(shown("x" * 1000)) == SHOWN and len(shown([["x"] * 9] * 99)) == SHOWN
    assert shown(10**10_000) == "a int too large to show"
    assert reason(OSError("a\nb")) == "a b" and reason(EOFError()) == "EOFError" and len(reason("x" * 999)) == REASON


@settings(max_examples=200)
@given(st.text(st.characters()))
def test_every_text_can_be_written_and_holds_no_control_sequence(text):
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system=None, width=10_000).print(Text(printable(text)), end="")
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in out.getvalue().removesuffix("\n"))
    printable(text).encode()
