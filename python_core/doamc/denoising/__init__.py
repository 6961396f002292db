"""Denoising of snapshots by guided diffusion: the conditional and the unconditional eps-net, and what follows."""
