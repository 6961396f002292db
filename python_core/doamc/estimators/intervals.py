"""What estimates report of a posterior beside a direction: intervals of 90 %, and how many modes."""

NORMAL_90 = 1.6448536269514722  #: half-width of the central 90 % of a normal distribution, in standard deviations
MOST_MODES = 3  #: modes reported at most, the main one with them
