"""Figures for print: of runs, of trainings, of comparisons; matplotlib, without any window.

Each kind of figure of a run is a module with two functions: ``missing(run)`` says what the run lacks for it, and
``draw(figure, run)`` draws it into a figure, or a part of one, and returns the plots that are to be lettered. Importing
this package does not load matplotlib.
"""

from doamc.home import settle_matplotlib

settle_matplotlib()
