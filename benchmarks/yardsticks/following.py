"""Our tracker on the sightings of a scene, told what the scene was made with."""

from doamc.tracks import Sighting, Tracker, TrackerOptions

from .bearing_scenes import DETECTED, FALSE, SLICE_S, STD_DEG, BearingScene

OPTIONS = TrackerOptions(rate_std_deg_s=1.5, rate_time_s=10.0, detected=DETECTED, false_per_slice=FALSE * 360 / 300)


def follow(scene: BearingScene) -> list[dict[int, float]]:
    """Tracks of each slice {track: azimuth_deg}: emitters that are likelier on than off."""
    tracker, found = Tracker(OPTIONS), []
    for n, azimuths in enumerate(scene.seen):
        tracker.update(n * SLICE_S, [Sighting(((b, STD_DEG, 1.0),)) for b in azimuths])
        found.append({t.track: t.azimuth_deg for t in tracker.tracks() if t.on > 0.5})
    return found
