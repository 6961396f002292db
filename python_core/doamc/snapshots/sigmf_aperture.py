"""Where the array of a SigMF recording points, as its ``spatial`` extension says it.

A capture has the azimuth of the aperture's boresight, our +x axis, in degrees east of true north; an annotation has the
bearing of a signal, clockwise from that boresight. A reader adds the two.
"""

from bisect import bisect_right
from typing import Any

from doamc.angles import circle_deg


def aimed(
    captures: list[dict[str, Any]], annotations: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both such that aperture plus signal is the ``doamc:bearing_deg`` of every annotation that has one.

    captures: in order. A capture that says nothing of its aperture gets ``spatial:aperture_azimuth``, the
    ``doamc:heading_deg`` of the first annotation in it; where it points otherwise, because somebody wrote so or the
    array turned within it, the bearing of the signal is counted from there.
    """
    captures, made = [dict(capture) for capture in captures], []
    starts = [capture["core:sample_start"] for capture in captures]
    for annotation in annotations:
        if captures and "doamc:bearing_deg" in annotation:
            capture = captures[max(0, bisect_right(starts, annotation["core:sample_start"]) - 1)]
            heading, aperture = annotation["doamc:heading_deg"], _aperture_deg(capture)
            if aperture is None:
                capture["spatial:aperture_azimuth"] = aperture = heading
            if aperture != heading:
                turned = {"azimuth": circle_deg(annotation["doamc:bearing_deg"] - aperture)}
                signal = annotation.get("spatial:signal_bearing", {}) | turned
                annotation = annotation | {"spatial:signal_bearing": signal}
        made.append(annotation)
    return captures, made


def _aperture_deg(capture: dict[str, Any]) -> float | None:
    bearing = capture.get("spatial:aperture_bearing")
    told = capture.get("spatial:aperture_azimuth", bearing.get("azimuth") if isinstance(bearing, dict) else None)
    return float(told) if isinstance(told, (int, float)) else None
