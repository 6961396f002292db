"""What every family of coupling matrices offers; the contract of `tests/doamc/coupling` is run on each.

    C(theta) = centre + sum_k theta_k basis_k                            theta real, (K,)
    v(az) = E(theta) a_ext(az),   a_ext = [a; cos az a; sin az a; ...]    the received response, J angular functions

Plain coupling has J = 1 and E = C. The prior is simple in *coordinates*: flat ones, uniform in a range or standard
normal, and wrapping ones, phases. The coefficients that multiply the patterns of E are a function of both.
"""

from typing import Protocol

import torch


class CouplingFamily(Protocol):
    """A linear family of coupling matrices with a prior over its real parameters."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""

    @property
    def n_parameters(self) -> int:
        """Number of real parameters K."""

    @property
    def n_coefficients(self) -> int:
        """Number K' of coefficients, that is, of patterns."""

    @property
    def n_blocks(self) -> int:
        """Number J of angular functions; 1 where coupling is the same from everywhere."""

    @property
    def hermitian(self) -> bool:
        """Whether conjugate coefficients multiply the adjoint patterns as well."""

    @property
    def mean(self) -> torch.Tensor:
        """E of parameters zero, (N, J N)."""

    @property
    def patterns(self) -> torch.Tensor:
        """What the coefficients multiply in E, (K', N, J N) complex; `adjoints` come on top."""

    @property
    def adjoints(self) -> torch.Tensor:
        """What the conjugates of the last coefficients multiply in E, (K'', N, J N): none but where `hermitian`."""

    @property
    def centre(self) -> torch.Tensor:
        """C of parameters zero, (N, N)."""

    @property
    def basis(self) -> torch.Tensor:
        """Derivatives of C by the parameters, (K, N, N) complex."""

    @property
    def linear_basis(self) -> torch.Tensor:
        """The centre and patterns whose *complex* span holds all C, (1 + K', N, N): what rank reduction needs."""

    def matrix(self, theta: torch.Tensor) -> torch.Tensor:
        """C of parameters (..., K): (..., N, N), mean diagonal 1."""

    def response(
        self,
        theta: torch.Tensor,  # shape: (..., K)
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
        elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
    ) -> torch.Tensor:
        """Received response v(az, el) of each source, (..., N, P); that of drawn antennas holds at the horizon."""

    def project(self, coupling: torch.Tensor) -> torch.Tensor:
        """Parameters (..., K) of the member nearest to matrices (..., N, N) of any scale."""

    # the prior

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> torch.Tensor:
        """Parameters drawn from the prior, (*shape, K)."""

    def log_prior(self, theta: torch.Tensor) -> torch.Tensor:
        """Log density of the prior at parameters (..., K) up to a constant, (...); -inf outside its support."""

    @property
    def n_flat(self) -> int:
        """Number of flat coordinates."""

    @property
    def n_normal(self) -> int:
        """How many of the flat coordinates, the first ones, are standard normal beforehand, the others being uniform.

        These are real coefficients themselves.
        """

    @property
    def n_wrapping(self) -> int:
        """Number of wrapping coordinates; n_flat + n_wrapping = K."""

    @property
    def flat_range(self) -> torch.Tensor:
        """Lowest and highest value of the flat coordinates, (n_flat, 2); wide enough not to matter for normal ones."""

    @property
    def phase_rad(self) -> float:
        """Half-width of the wrapping coordinates, uniform around zero; pi where there are none."""

    def coordinates(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Flat (..., n_flat) and wrapping (..., n_wrapping) coordinates of parameters (..., K).

        The wrapping ones are the phases of as many coefficients, the last ones.
        """

    def from_coordinates(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """Parameters (..., K) of coordinates: undoes `coordinates`."""

    def coefficients(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """What multiplies the patterns, complex, shaped like flat, whichever of its axes counts the coordinates."""

    def parameters(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Parameters (..., K) of complex coefficients (..., K')."""

    @property
    def kinds(self) -> "list[tuple[float, CouplingFamily, torch.Tensor]]":
        """Kinds of antennas that the prior mixes: log share, family of the kind, scale (K,) of its parameters.

        theta = scale * (parameters of the kind). A prior of one kind is that kind itself.
        """

    @property
    def narrow(self) -> bool:
        """Whether the prior knows the coupling better than one batch shows it.

        Then its mean stands for every member, and neither rank reduction nor a search for the coupling has a point; but
        it must not be bent to explain what is not coupling.
        """

    @property
    def outside_db(self) -> float:
        """Power that the coupling of a real array is expected to have outside the family, over that of C, dB."""

    def moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The prior taken as normal: mean (N, J N) of E, independent patterns (K, N, J N), and W (J N, N) of C = E W.

        Each pattern is one standard deviation.
        """
