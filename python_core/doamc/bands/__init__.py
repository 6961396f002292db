"""A whole band at once: spectral covariances, the signals in them, and where each of them comes from."""
