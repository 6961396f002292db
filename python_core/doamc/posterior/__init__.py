"""Method ``posterior``: samples of the posterior over scenes by proposals, mode search and Metropolis chains."""
