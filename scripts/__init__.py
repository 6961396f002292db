"""Set-up and demonstration of the project; run from the repository's root."""
