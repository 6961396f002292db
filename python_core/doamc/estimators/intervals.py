"""What a posterior reports of its width and its modes, whichever method it is of."""

NORMAL_90 = 1.6448536269514722  #: half-width of the central 90 % of a normal distribution, in standard deviations
MOST_MODES = 3  #: places where the directions may be that are reported at most, the main one among them
