"""The methods that the contract is tested for, and what each may be asked."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One method on one array.

    one_source, two_sources: the largest RMSE, in Cramér-Rao bounds of the uncoupled array, that the method may have at
    high SNR; None where it is biased or its bound is another. std: whether it gives standard deviations.
    """

    method: str
    array: str = "ula8"
    one_source: float | None = 1.1
    two_sources: float | None = 1.1
    std: bool = False

    def __str__(self) -> str:
        return f"{self.method}-{self.array}"


# Bartlett is maximum likelihood for one source and biased for two. ESPRIT ignores that the subarrays overlap: in
# theory sqrt(N (N + 1) / (6 (N - 1))) = 1.31 bounds for one source and N = 8. Smoothing gives up aperture.
CASES = [
    Case("bartlett", "ula8", two_sources=None),
    Case("bartlett", "uca5", two_sources=None),
    Case("capon", "ula8", two_sources=1.2),
    Case("capon", "uca5", two_sources=1.2),
    Case("music", "ula8", std=True),
    Case("music", "uca5", std=True),
    Case("music-smoothed", "ula8", 1.35, 1.35),
    Case("root-music", "ula8", std=True),
    Case("esprit", "ula8", 1.45, 1.45, std=True),
]
