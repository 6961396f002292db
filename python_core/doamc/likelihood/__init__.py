"""The exact likelihood of a scene given a sample covariance, its Fisher information, and the search for its modes."""
