"""Figures for print: of runs, of trainings, of comparisons; matplotlib, without any window.

A module of a kind of figure of a run has ``missing(run)``, what the run lacks for it, and ``draw(figure, run)``, which
draws into a figure or a part of one and gives the plots that bear a letter. Importing this package does not load
matplotlib.
"""

from doamc.home import settle_matplotlib

settle_matplotlib()
