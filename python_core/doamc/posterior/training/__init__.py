"""Training of the proposal network: examples, task, Bayes limit, model card."""
