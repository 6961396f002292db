"""The methods that the contract is tested for, and what each may be asked."""

from dataclasses import dataclass

from doamc.spec import ArraySpec, load_spec
from tests.doamc.helpers.scenes import uncoupled_spec


@dataclass(frozen=True)
class Case:
    """One method on one array.

    one_source, two_sources: the largest RMSE, in Cramér-Rao bounds of the uncoupled array, that the method may have at
    high SNR; None where it is biased or has to find the coupling too (then its own test compares it with that bound).
    std: whether it gives standard deviations that hold; None where it gives some without a claim.
    coupled: whether it estimates the coupling. min_snapshots: least L.
    sources: numbers of sources for which it is accurate. Coupling of a circle needs two: one source and its opposite
    explain the data equally well under different circulant couplings.
    trained: whether it has weights for the shipped specification only, so that its scenes are coupled ones.
    options: that the method is made with, beside its defaults.
    network: whether a network runs over every snapshot, which takes a hundred times as long.
    slow: whether it takes half a minute and leaves quick runs to its twin on the other array.
    """

    method: str
    array: str = "ula8"
    one_source: float | None = 1.1
    two_sources: float | None = 1.1
    std: bool | None = False
    coupled: bool = False
    min_snapshots: int = 3
    sources: tuple[int, ...] = (1, 2)
    trained: bool = False
    network: bool = False
    slow: bool = False
    options: tuple[tuple[str, int], ...] = ()

    @property
    def spec(self) -> ArraySpec:
        """The specification that the method is made for and the scenes are drawn from."""
        return load_spec(self.array) if self.trained else uncoupled_spec(self.array)

    @property
    def scenes(self) -> int:
        """How many scenes the statistics take; fewer where only a rough figure is asked."""
        if self.network:
            return 24
        return 60 if self.coupled else 300

    def __str__(self) -> str:
        return f"{self.method}-{self.array}"


#: eight, the default, take eight times as long and tell the contract nothing more
ONE_SAMPLE = (("samples", 1),)

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
    Case("rare", "ula8", None, None, coupled=True),
    Case("rare", "uca5", None, None, coupled=True, sources=(2,)),
    Case("fit", "ula8", None, None, std=None, coupled=True),
    Case("fit", "uca5", None, None, std=None, coupled=True, sources=(2,)),
    Case("comet", "ula8", None, None, std=True, coupled=True, min_snapshots=8),
    Case("comet", "uca5", None, None, std=True, coupled=True, min_snapshots=5, sources=(2,)),
    Case("ml", "ula8", None, None, std=True, coupled=True),
    Case("ml", "uca5", None, None, std=True, coupled=True, sources=(2,)),
    Case("map", "ula8", 1.26, 1.26, std=True, coupled=True),  # four standard errors of 120 errors
    Case("map", "uca5", 1.26, 1.26, std=True, coupled=True, sources=(2,)),
    Case("ddim-snapshot", "ula8", None, None, None, True, trained=True, network=True, options=ONE_SAMPLE),
    Case(
        "ddim-snapshot",
        "uca5",
        None,
        None,
        None,
        True,
        sources=(2,),
        trained=True,
        network=True,
        slow=True,
        options=ONE_SAMPLE,
    ),
    Case("em", "ula8", None, None, std=True, coupled=True),
    Case("em", "uca5", None, None, std=True, coupled=True, sources=(2,)),
    Case("sbl", "ula8", None, None, std=True, coupled=True),
    Case("sbl", "uca5", None, None, std=True, coupled=True, sources=(2,)),
    Case("coupling-diffusion", "ula8", None, None, coupled=True, trained=True),
    Case("coupling-diffusion", "uca5", None, None, coupled=True, trained=True, sources=(2,)),
    Case("vae", "ula8", None, None, std=None, coupled=True, trained=True),
]
