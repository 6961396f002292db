"""Normal numbers drawn once for every observation, without the shifts that their chance mean and covariance bring."""

import torch


def balanced(table: torch.Tensor) -> torch.Tensor:
    """Normal numbers (S, d, ...) whose second half of chains mirrors the first: their mean over chains is zero.

    Every observation uses one table, so its chance mean would shift all of them alike.
    """
    half = len(table) // 2
    return torch.cat([table[:half], -table[:half], table[2 * half :]])


def whitened(table: torch.Tensor) -> torch.Tensor:
    """Balanced numbers (S, d) with exactly the identity for covariance, where S > 4 d."""
    table = balanced(table)
    if len(table) <= 4 * table.shape[1]:
        return table
    root = torch.linalg.cholesky(table.mT @ table / len(table))
    return torch.linalg.solve_triangular(root, table.mT, upper=False).mT.contiguous()
