"""Training of networks: the loop, averages of weights, several processes, logs, checkpoints."""
