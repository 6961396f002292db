"""Azimuth, heading of the +x axis and the bearing of both, in degrees: worked out by hand, not by a formula.

Python (tests/doamc/test_angles.py) and the page (tests/doamc/dashboard/test_page_bearings.py) are held against it.
"""

TABLE = [
    # +x looks north: to its left is west
    (0.0, 0.0, 0.0),
    (90.0, 0.0, 270.0),
    (180.0, 0.0, 180.0),
    (270.0, 0.0, 90.0),
    # +x looks east: to its left is north
    (0.0, 90.0, 90.0),
    (90.0, 90.0, 0.0),
    (180.0, 90.0, 270.0),
    (-90.0, 90.0, 180.0),
    # +x looks south-west; a line of antennas sees 30 degrees to the right, which is more clockwise
    (-30.0, 225.0, 255.0),
    (30.0, 225.0, 195.0),
    # beyond a turn, either way, and at its seam
    (370.0, 20.0, 10.0),
    (-700.0, 20.0, 0.0),
    (20.0, 20.0, 0.0),
    (20.25, 20.0, 359.75),
    (19.75, 20.0, 0.25),
    (0.0, 360.0, 0.0),
    (359.5, 359.5, 0.0),
]
#: azimuth, its interval, heading, and the interval of the bearing, which lies about the bearing in [0, 360)
INTERVALS = [
    (10.0, (8.0, 13.0), 90.0, (77.0, 82.0)),  # the bearing is 80; the high azimuth is the low bearing
    (91.0, (89.0, 92.0), 90.0, (358.0, 361.0)),  # the bearing is 359
    (89.5, (88.5, 92.5), 90.0, (-2.5, 1.5)),  # the bearing is 0.5
    (-30.0, (-31.0, -28.0), 225.0, (253.0, 256.0)),
    (358.0, (350.0, 365.0), 0.0, (-5.0, 10.0)),  # the bearing is 2
]
