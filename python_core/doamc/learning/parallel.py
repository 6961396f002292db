"""Data-parallel training under ``torchrun``: every process draws its own scenes, gradients are averaged.

    torchrun --nproc-per-node 8 -m doamc train --array ula8 --device cuda

torchrun needs a torch with libuv, which Debian's own lacks: there start the processes with ``USE_LIBUV=0`` and the
variables that torchrun sets, ``RANK``, ``LOCAL_RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT``.
Started plainly there is one process and nothing here costs anything.
"""

import os
from types import TracebackType

import torch
import torch.distributed as dist


class Team:
    """The processes that train one network together, as ``torchrun`` describes them in the environment."""

    def __init__(self, device: str = "cpu") -> None:
        """device: cpu or cuda; each process takes the GPU of its local rank."""
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        local = os.environ.get("LOCAL_RANK", "0")
        self.device = f"cuda:{local}" if device == "cuda" and self.size > 1 else device

    def __enter__(self) -> "Team":
        if self.size > 1:
            dist.init_process_group("nccl" if self.device.startswith("cuda") else "gloo")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.size > 1:
            dist.destroy_process_group()

    def __str__(self) -> str:
        return self.device if self.size == 1 else f"{self.size} x {self.device.partition(':')[0]}"

    @property
    def leads(self) -> bool:
        """Whether this process saves, validates and shows progress."""
        return self.rank == 0

    def draw(self, step: int) -> int:
        """Number of this process's draw at a step: no two processes or steps see the same scenes."""
        return step * self.size + self.rank

    def share_weights(self, module: torch.nn.Module) -> None:
        """Everybody starts from the weights of the process that leads."""
        if self.size > 1:
            for tensor in module.state_dict().values():
                dist.broadcast(tensor, 0)

    def average_gradients(self, module: torch.nn.Module) -> None:
        """Replace gradients by their mean over the processes."""
        if self.size > 1:
            for parameter in module.parameters():
                if parameter.grad is not None:
                    dist.all_reduce(parameter.grad)
                    parameter.grad /= self.size

    def agree(self, fraction: float) -> float:
        """The leading process's share of the budget, so that all end with the same step."""
        if self.size == 1:
            return fraction
        shared = torch.tensor([fraction], dtype=torch.float32, device=self.device)
        dist.broadcast(shared, 0)
        return float(shared)
