"""Stone Soup's JPDA filter on the same sightings, with the same motion: a referee, of the optional group `referee`."""

import datetime
import math

from .bearing_scenes import DETECTED, FALSE, SLICE_S, STD_DEG, BearingScene

START = datetime.datetime(2026, 1, 1)


def follow(
    scene: BearingScene, rate_std_deg_s: float, rate_time_s: float, half_width_deg: float = 150.0
) -> list[dict[int, float]]:
    """Tracks of each slice {track: azimuth_deg}: JPDA, tracks begun by two sightings, ended after ten without one."""
    import numpy as np
    from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
    from stonesoup.dataassociator.probability import JPDA
    from stonesoup.deleter.time import UpdateTimeStepsDeleter
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.hypothesiser.probability import PDAHypothesiser
    from stonesoup.initiator.simple import MultiMeasurementInitiator
    from stonesoup.measures import Mahalanobis
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import OrnsteinUhlenbeck
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.tracker.simple import MultiTargetMixtureTracker
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import KalmanUpdater

    damping = 1 / rate_time_s
    motion = OrnsteinUhlenbeck(2 * damping * rate_std_deg_s**2, damping)
    view = LinearGaussian(ndim_state=2, mapping=(0,), noise_covar=np.array([[STD_DEG**2]]))
    predictor, updater = KalmanPredictor(motion), KalmanUpdater(view)
    deleter = UpdateTimeStepsDeleter(10)
    nearest = GNNWith2DAssignment(DistanceHypothesiser(predictor, updater, Mahalanobis(), missed_distance=3))
    initiator = MultiMeasurementInitiator(
        GaussianState([[0.0], [0.0]], np.diag([1e4, rate_std_deg_s**2]), START), deleter, nearest, updater, view, 3
    )
    hypothesiser = PDAHypothesiser(
        predictor, updater, clutter_spatial_density=FALSE / (2 * half_width_deg), prob_detect=DETECTED, prob_gate=0.9999
    )
    detections = []
    for n, azimuths in enumerate(scene.seen):
        now = START + datetime.timedelta(seconds=n * SLICE_S)
        detections.append((now, {Detection(np.array([[b]]), timestamp=now, measurement_model=view) for b in azimuths}))
    tracker = MultiTargetMixtureTracker(initiator, deleter, detections, JPDA(hypothesiser), updater)
    found: list[dict[int, float]] = []
    number: dict[str, int] = {}
    for _, tracks in tracker:
        found.append({number.setdefault(t.id, len(number)): float(t.state_vector[0, 0]) for t in tracks})
    assert len(found) == len(scene.seen) and all(map(math.isfinite, found[-1].values()))
    return found
