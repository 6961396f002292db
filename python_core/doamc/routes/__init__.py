"""Other routes from snapshots to directions and coupling: EM, diffusion over C, sparse Bayes, a VAE prior."""
