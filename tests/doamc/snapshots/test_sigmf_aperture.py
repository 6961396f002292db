"""Aperture plus signal is the bearing of an annotation, as readers of the ``spatial`` extension compute it."""

from doamc.snapshots.sigmf_aperture import aimed


def annotation(start, azimuth, heading=None):
    told = {"core:sample_start": start, "spatial:signal_bearing": {"azimuth": -azimuth % 360}}
    return told | (
        {} if heading is None else {"doamc:bearing_deg": (heading - azimuth) % 360, "doamc:heading_deg": heading}
    )


def read(captures, made):
    """What another program makes of them: the capture that an annotation begins in, then a sum."""
    capture = [c for c in captures if c["core:sample_start"] <= made["core:sample_start"]][-1]
    return (capture["spatial:aperture_azimuth"] + made["spatial:signal_bearing"]["azimuth"]) % 360


def test_a_capture_is_told_where_the_array_points():
    captures, made = aimed([{"core:sample_start": 0}, {"core:sample_start": 100}], [annotation(10, 30.0, 90.0)])
    assert captures == [{"core:sample_start": 0, "spatial:aperture_azimuth": 90.0}, {"core:sample_start": 100}]
    assert made[0]["spatial:signal_bearing"] == {"azimuth": 330.0} and read(captures, made[0]) == 60.0


def test_what_a_recording_tells_stays_and_the_sum_is_right_all_the_same():
    """The recorder's aperture looks west (as in the example of the extension); and an array that turns."""
    west = [{"core:sample_start": 0, "spatial:aperture_azimuth": 270.0}]
    captures, made = aimed(west, [annotation(0, 30.0, 90.0)])
    assert captures == west and read(captures, made[0]) == 60.0
    captures, made = aimed([{"core:sample_start": 0}], [annotation(0, 30.0, 90.0), annotation(50, 30.0, 100.0)])
    assert [read(captures, a) for a in made] == [60.0, 70.0]
    slanted = [{"core:sample_start": 0, "spatial:aperture_bearing": {"azimuth": 80.0, "elevation": 5.0}}]
    captures, (one,) = aimed(slanted, [annotation(0, 30.0, 90.0)])
    assert captures == slanted and one["spatial:signal_bearing"] == {"azimuth": 340.0}


def test_without_an_orientation_nothing_is_added():
    captures, made = aimed([{"core:sample_start": 0}], [annotation(0, 30.0)])
    assert captures == [{"core:sample_start": 0}] and made == [annotation(0, 30.0)]
    assert aimed([], [annotation(0, 30.0, 90.0)]) == ([], [annotation(0, 30.0, 90.0)])
