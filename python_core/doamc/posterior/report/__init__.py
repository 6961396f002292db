"""What is reported of samples: order of sources, medians and intervals, evidence, the Wiener filter."""
