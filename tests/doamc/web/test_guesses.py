"""Guesses at the token, by a clock that the test turns."""

from doamc.web.guesses import EACH_S, FREE, Guesses


def test_a_few_are_free_then_each_takes_its_time():
    now = [1000.0]
    guesses = Guesses(clock=lambda: now[0])
    for k in range(FREE):
        assert guesses.wait_s("192.0.2.1") == 0
        guesses.wrong("192.0.2.1", f"guess {k}")
    assert guesses.wait_s("192.0.2.1") == EACH_S and guesses.wait_s("192.0.2.2") == 0
    given = 0
    for _ in range(10 * 3600):  # an hour of ten tries a second
        now[0] += 0.1
        if guesses.wait_s("192.0.2.1") == 0:
            guesses.wrong("192.0.2.1", f"more {given}")
            given += 1
    assert 3600 / EACH_S - 2 <= given <= 3600 / EACH_S + 1
    now[0] += FREE * EACH_S + 1
    for k in range(FREE):  # all is forgotten
        assert guesses.wait_s("192.0.2.1") == 0
        guesses.wrong("192.0.2.1", f"again {k}")


def test_the_same_wrong_token_again_is_no_guess():
    guesses = Guesses(clock=lambda: 0.0)
    for _ in range(100):
        guesses.wrong("192.0.2.1", "an old cookie")
    assert guesses.wait_s("192.0.2.1") == 0


def test_addresses_of_one_network_are_one():
    guesses = Guesses(clock=lambda: 0.0)
    for k in range(FREE):
        guesses.wrong(f"2001:db8::{k}", f"{k}")
        guesses.wrong("::ffff:192.0.2.1", f"{k}")
    assert guesses.wait_s("2001:db8::ffff%eth0") > 0 and guesses.wait_s("2001:db8:0:1::1") == 0
    assert guesses.wait_s("192.0.2.1") > 0 and guesses.wait_s("") == 0


def test_memory_is_bounded():
    guesses = Guesses(clock=lambda: 0.0)
    for k in range(5000):
        guesses.wrong(f"10.0.{k // 256}.{k % 256}", "x" * 10_000)
    assert len(guesses._owed) == 1024 and all(len(token) == 200 for _, token in guesses._owed.values())
