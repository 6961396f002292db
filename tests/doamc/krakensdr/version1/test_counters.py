"""The numbering of frames, without a network."""

from doamc.krakensdr.version1.counters import Counters, Numbering
from doamc.krakensdr.version1.frame import Header


def see(numbering, index, at=0):
    return numbering.see(Header(cpi_index=index, time_stamp=at + 10 * index))


def test_gaps_duplicates_and_the_wrap_of_the_counter():
    counters = Counters()
    numbering = Numbering(counters)
    assert see(numbering, 7) == (False, 0, False)  # what was before we came is not lost
    assert see(numbering, 8) == (False, 0, False)
    assert see(numbering, 8) == (True, 0, False)
    assert see(numbering, 12) == (False, 3, False)
    assert (counters.lost, counters.restarts) == (3, 0)
    numbering = Numbering(counters := Counters())
    see(numbering, 2**32 - 2)
    assert see(numbering, 1) == (False, 2, False)


def test_a_number_that_steps_back_is_a_restart_that_counts_from_zero():
    numbering = Numbering(counters := Counters())
    see(numbering, 40)
    assert see(numbering, 3, at=10**6) == (False, 3, True)  # 0, 1, 2 of the new run were not seen
    assert see(numbering, 3, at=2 * 10**6) == (False, 3, True)  # the same number at another time is another run
    assert (counters.lost, counters.restarts) == (6, 2)


def test_frames_without_a_header_show_in_the_next_gap_or_restart():
    numbering = Numbering(counters := Counters())
    see(numbering, 4)
    numbering.malformed()
    assert see(numbering, 6) == (False, 1, False)
    numbering.malformed()
    assert see(numbering, 0, at=10**6) == (False, 1, True)  # it was of the run before
    see(numbering, 1, at=10**6)
    numbering.malformed()
    numbering.absent()
    numbering.malformed()
    assert see(numbering, 1, at=2 * 10**6) == (False, 2, True)  # one before the server went, then its frame 0
    assert (counters.malformed, counters.lost) == (4, 4)


def test_a_frame_cut_short_is_lost_unless_it_is_sent_again():
    numbering = Numbering(counters := Counters())
    see(numbering, 4)
    numbering.broken()
    assert see(numbering, 5) == (False, 0, False)
    assert (counters.broken, counters.lost) == (1, 1)
    numbering.broken()
    assert see(numbering, 5) == (False, 0, False)
    assert (counters.broken, counters.lost) == (2, 1)


def test_a_server_that_ran_for_longer_before_it_is_seen_again_is_told_by_its_time_stamps():
    def header(index, seconds):
        return Header(cpi_index=index, time_stamp=round(1e3 * seconds), cpi_length=100, sampling_freq=1000)

    numbering = Numbering(counters := Counters())
    numbering.see(header(20, 100.0))
    numbering.absent()
    assert numbering.see(header(30, 101.02)) == (False, 9, False)  # ten frames of 0.1 s: the same run
    numbering.absent()
    assert numbering.see(header(50, 111.0)) == (False, 50, True)  # they would have been 100
    assert numbering.see(header(60, 121.0)) == (False, 9, False)  # it was there all the time: a receiver that paused
    assert (counters.lost, counters.restarts) == (68, 1)
    numbering.absent()
    assert numbering.see(header(60, 121.0)) == (False, 60, True)  # no duplicate, since the server was gone
    numbering.absent()
    assert numbering.see(header(63, 121.0)) == (False, 2, False)  # a clock that stands still tells nothing


def test_dummies_whose_numbers_lead_nowhere_are_passed_over_within_a_connection():
    numbering = Numbering(counters := Counters())
    see(numbering, 40)
    for index in (0, 40, 17):  # not the number of the frame before, at other times
        assert numbering.see(Header(cpi_index=index, time_stamp=9999, frame_type=1)) == (False, 0, False)
    assert see(numbering, 41) == (False, 0, False)
    assert numbering.see(Header(cpi_index=43, time_stamp=9999, frame_type=3)) == (False, 1, False)
    assert (counters.lost, counters.restarts) == (1, 0)
    numbering.connected()
    assert numbering.see(Header(cpi_index=0, time_stamp=9999, frame_type=1)) == (False, 0, True)
    assert see(numbering, 1) == (False, 0, False)
