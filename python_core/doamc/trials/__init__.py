"""Monte-Carlo trials: scenes drawn, estimated and compared with the truth."""
