"""Antennas of wires: what they receive, by the method of moments, and priors drawn from it.

The element and mast of a specification's table [antenna] become wires, NEC2 solves for their currents, and loads at the
ports give the embedded response and the coupling matrix. Lengths are in wavelengths throughout. Needs the extra
``[antenna]`` (PyNEC) for solving only; reading a table or a prior file does without.
"""

from doamc.spec.antenna import Antenna, Draws, Mast, parse_antenna

__all__ = ["Antenna", "Draws", "Mast", "parse_antenna"]
