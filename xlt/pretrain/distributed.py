"""Distributed pretraining: processes with the same weights, and batches of their own.

`torchrun` or `accelerate launch` starts them. Every step uses the mean of their gradients. With a
single process these functions do nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import (  # type: ignore[import-untyped]  # no stubs
    Accelerator,
    InitProcessGroupKwargs,
)
from accelerate.utils import broadcast  # type: ignore[import-untyped]  # no stubs
from torch import Tensor

from xlt.errors import ConfigError

_LONGEST_STAGE_H = 12  # hours that other processes wait for the first one


def launched(precision: str) -> Accelerator:
    """Returns the device, and the processes if a launcher started several.

    Raises:
        ConfigError: If they cannot work together.
    """
    # Without a GPU each process would otherwise take itself for the only one.
    together_on_cpu = "LOCAL_RANK" in os.environ and not torch.cuda.is_available()
    accelerator = Accelerator(
        cpu=together_on_cpu,
        mixed_precision=precision,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=timedelta(hours=_LONGEST_STAGE_H))],
    )
    wanted = int(os.environ.get("WORLD_SIZE", "1"))
    if accelerator.num_processes != wanted:
        raise ConfigError(
            f"{wanted} processes were started, but {accelerator.num_processes} would train "
            "together: start them with torchrun or accelerate launch"
        )
    return accelerator


@contextmanager
def every_core(accelerator: Accelerator) -> Iterator[None]:
    """Lets one process use all cores while the others wait; launchers give each only one core."""
    threads = torch.get_num_threads()
    if accelerator.num_processes > 1:
        torch.set_num_threads(os.cpu_count() or threads)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def same_start(
    weights: Iterable[torch.nn.Parameter], *, step: int, pieces: int, accelerator: Accelerator
) -> None:
    """Gives all processes the first one's weights.

    Args:
        weights: Parameters of the model, in the same order in every process.
        step: Step that this process would start at.
        pieces: Checksum of its vocabulary.
        accelerator: The processes.

    Raises:
        ConfigError: If their vocabularies or steps differ.
    """
    if accelerator.num_processes == 1:
        return
    starts = accelerator.gather(torch.tensor([[step, pieces]], device=accelerator.device))
    if (starts != starts[0]).any():
        raise ConfigError(
            "the processes have different stages: let all of them share the folder of --out "
            f"(steps {starts[:, 0].tolist()}, pieces {starts[:, 1].tolist()})"
        )
    for weight in weights:
        weight.data.copy_(broadcast(weight.data))


def of_the_first(value: float, accelerator: Accelerator) -> float:
    """Returns the first process's value, so that all processes decide alike."""
    if accelerator.num_processes == 1:
        return value
    return float(broadcast(torch.tensor(value, device=accelerator.device)).item())


def average(grads: Sequence[Tensor], accelerator: Accelerator) -> None:
    """Gives every process, in place, the mean of all their gradients."""
    if accelerator.num_processes == 1:
        return
    # One message for all gradients, because every message takes a round trip.
    mean = accelerator.reduce(torch.cat([grad.flatten() for grad in grads]), "mean")
    for grad, part in zip(grads, mean.split([grad.numel() for grad in grads]), strict=True):
        grad.copy_(part.view_as(grad))
