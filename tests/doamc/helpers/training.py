"""A step of a training task: the same for the same weights."""

import torch


def losses_of_a_step(task, rate=3e-3):
    """Loss of draw 0 before and after one step of Adam."""
    optimiser = torch.optim.Adam(task.net.parameters(), lr=rate)
    first = task.loss(0)
    first.backward()
    optimiser.step()
    return float(first.detach()), float(task.loss(0).detach())
