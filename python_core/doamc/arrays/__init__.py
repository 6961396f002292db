"""Antenna arrays: element positions and what a plane wave does to them."""

from doamc.arrays.geometry import uca, ula, ura
from doamc.arrays.steering import direction, steering, steering_derivative

__all__ = ["direction", "steering", "steering_derivative", "uca", "ula", "ura"]
