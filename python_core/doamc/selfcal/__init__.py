"""Self-calibration while running: the coupling's posterior is carried from batch to batch."""
