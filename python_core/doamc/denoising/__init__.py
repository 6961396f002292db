"""Denoising of snapshots: waveforms by a learned prior, guided diffusion, and what methods share of it."""
