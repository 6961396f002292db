"""Emitters followed over time: identities that last, from sightings that are whole posteriors, modes and all.

A `Tracker` takes the sightings of one slice after another and keeps a Bernoulli of every emitter that may be there
(Williams 2015, "Marginal multi-Bernoulli filters: RFS derivation of MHT, JIPDA and association-based MeMBer", TOMB/P):
the probability that it exists, that it is on the air, and a mixture of Gaussians over bearing and its rate.
"""

from doamc.tracks.options import TrackerOptions
from doamc.tracks.sighting import Sighting, sightings_of
from doamc.tracks.tracker import Track, Tracker

__all__ = ["Sighting", "Track", "Tracker", "TrackerOptions", "sightings_of"]
