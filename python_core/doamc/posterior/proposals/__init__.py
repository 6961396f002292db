"""Where chains may start: a network, draws from the prior, rank reduction, alternating projection."""
