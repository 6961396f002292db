"""Scenes: directions, powers and coupling drawn from a prior, and the snapshots they give."""

from doamc.scenes.observe import Received, receive
from doamc.scenes.prior import Scene, draw_azimuth, draw_scene
from doamc.scenes.waveforms import WAVEFORMS, draw_waveforms

__all__ = ["WAVEFORMS", "Received", "Scene", "draw_azimuth", "draw_scene", "draw_waveforms", "receive"]
