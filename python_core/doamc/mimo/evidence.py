"""Type-II likelihood of a block dictionary and its monotone minimisation.

With x_g^s ~ CN(0, gamma_g B_g) independent over blocks g and subcarriers s the received symbols are Gaussian with
covariance Sigma^s = s2 I + sum_g gamma_g D_g^s B_g D_g^sH, and minus the log evidence of S of them is S L + const,

    L = mean_s [ log det Sigma^s + y^sH (Sigma^s)^-1 y^s ].

log det is concave and the quadratic form convex in the components, so L is majorised at the current point by
sum_i tr(Q_i G_i) + tr(G_i^-1 G_i^old N_i G_i^old), with Q_g = mean_s D_g^H Sigma^-1 D_g and
N_g = mean_s D_g^H Sigma^-1 y y^H Sigma^-1 D_g ([Sun-Babu-Palomar]). Its minimum is a square
root for a power and the geometric mean Q^-1 # (B N B) of matrices for a shape B: no step sizes, and L never grows.
"""

import torch


def inverse_root(m: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Square root of Hermitian positive matrices (..., d, d) and its inverse; floored at 1e-12 of the top."""
    values, vectors = torch.linalg.eigh(m)
    values = values.clamp_min(1e-300).maximum(1e-12 * values[..., -1:]).sqrt()
    return (vectors * values[..., None, :]) @ vectors.mH, (vectors / values[..., None, :]) @ vectors.mH


class Evidence:
    """State of the minimisation.

    columns: D K (S', T, G, d), the dictionary times roots K of the shapes B = K K^H, (d, d) or (G, d, d).
    gamma: (G,) powers. noise_power: s2. received: (S', T, n): n symbol vectors share a covariance.
    """

    def __init__(
        self,
        columns: torch.Tensor,  # shape: (S', T, G, d), the D_g
        received: torch.Tensor,  # shape: (S', T, n)
        root: torch.Tensor,  # shape: (d, d) shared, or (G, d, d): K
    ) -> None:
        self.received, self.root = received, root
        self.columns = self._through(columns, root)
        power = float(received.abs().square().mean())
        self.noise_power = 0.1 * power
        self.gamma = torch.full((columns.shape[2],), 1.0, dtype=torch.float64)
        self.gamma *= 0.9 * power / float(self.columns.abs().square().sum((2, 3)).mean())

    @staticmethod
    def _through(columns: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
        return columns @ root if root.ndim == 2 else torch.einsum("stgi,gij->stgj", columns, root)

    def step(self, update_shape: bool, known_noise: bool = False) -> float:
        """One majorise-minimise step over all powers, the noise and (update_shape) the shapes; returns L before it."""
        s, _, g, d = self.columns.shape
        flat = self.columns.flatten(2)
        sigma = (flat * self.gamma.repeat_interleave(d)) @ flat.mH
        sigma.diagonal(dim1=1, dim2=2).add_(self.noise_power)
        factor = torch.linalg.cholesky(sigma)
        white = torch.linalg.solve_triangular(factor, torch.cat([flat, self.received], 2), upper=False)
        part, y = white[..., : g * d].unflatten(2, (g, d)), white[..., g * d :]
        log_det = 2 * factor.diagonal(dim1=1, dim2=2).real.log().sum(1).mean()
        evidence = float(log_det + y.abs().square().sum() / (s * y.shape[2]))
        z = (part.flatten(2).mH @ y).unflatten(1, (g, d))
        have = part.abs().square().sum((0, 1, 3)) / s
        want = z.abs().square().sum((0, 2, 3)) / (s * y.shape[2])
        ratio = (want / have).clamp_min(1e-12).sqrt()
        if not known_noise:
            inverse = torch.cholesky_inverse(factor)
            back = inverse @ self.received
            noise = back.abs().square().sum() / (s * y.shape[2]) / (inverse.diagonal(dim1=1, dim2=2).real.sum() / s)
            self.noise_power *= float(noise.sqrt())
        gamma = self.gamma * ratio
        if update_shape:
            self._reshape(part, z, gamma, self.gamma / ratio)
        self.gamma = gamma
        return evidence

    def _reshape(self, part: torch.Tensor, z: torch.Tensor, now: torch.Tensor, weight: torch.Tensor) -> None:
        """New shapes, B -> K M K^H with M the geometric mean of the two sides of the majoriser."""
        s, n = len(part), z.shape[-1]
        each = "g" if self.root.ndim == 3 else ""
        q = torch.einsum(f"g,stgi,stgj->{each}ij", now.to(part.dtype), part.conj(), part) / s
        m = torch.einsum(f"g,sgin,sgjn->{each}ij", weight.to(part.dtype), z, z.conj()) / (s * n)
        root, inverse = inverse_root(q)
        middle = inverse_root(root @ m @ root)[0]
        change = inverse_root(inverse @ middle @ inverse)[0]
        self.columns, self.root = self._through(self.columns, change), self.root @ change

    def left(self) -> torch.Tensor:
        """Sigma^-1 y of the received symbols, (S', T, n): where blocks that are missing would show."""
        flat = self.columns.flatten(2)
        sigma = (flat * self.gamma.repeat_interleave(self.columns.shape[3])) @ flat.mH
        sigma.diagonal(dim1=1, dim2=2).add_(self.noise_power)
        return torch.cholesky_solve(self.received, torch.linalg.cholesky(sigma))

    def power(self) -> torch.Tensor:
        """Power of every block, gamma_g tr B_g, (G,)."""
        return self.gamma * self.root.abs().square().sum((-2, -1))

    def keep(self, index: torch.Tensor) -> None:
        """Go on with some of the blocks."""
        self.columns, self.gamma = self.columns[:, :, index], self.gamma[index]
        self.root = self.root[index] if self.root.ndim == 3 else self.root

    def shape(self) -> torch.Tensor:
        """Principal vector of every shape B, (d,) or (G, d): what all blocks are multiples of."""
        return torch.linalg.svd(self.root)[0][..., 0]
