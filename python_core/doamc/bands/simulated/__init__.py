"""Captures of a whole band with their truth: emitters of real modulations, received by real antennas and receivers."""
