"""Batches of a world that is not the model, with their truth, and what a method makes of them."""

from doamc.trials.mismatch.rows import ROWS, Row
from doamc.trials.mismatch.score import Score, run_row
from doamc.trials.mismatch.trial import Trial, draw_trial

__all__ = ["ROWS", "Row", "Score", "Trial", "draw_trial", "run_row"]
