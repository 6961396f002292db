"""Drawings of the documentation are what their scripts draw."""

from pathlib import Path
from xml.etree import ElementTree

from scripts.draw_bearings import AZIMUTH, BEARING, HEADING, draw

from doamc.angles import bearing_deg

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"


def test_the_drawing_of_bearings_is_that_of_its_script_and_its_angles_are_right():
    drawn = draw()
    assert (IMAGES / "bearings.svg").read_text(encoding="utf-8") == drawn
    assert bearing_deg(AZIMUTH, HEADING) == BEARING
    words = {text.text for text in ElementTree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")}
    assert {f"bearing {BEARING}°", f"= heading {HEADING}°", f"− azimuth {AZIMUTH}°"} <= words
