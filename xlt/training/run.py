"""The objects of one training, and their set-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from accelerate import (  # type: ignore[import-untyped]
    Accelerator,
    DistributedDataParallelKwargs,
)

from xlt.config import Schedule, TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, load_encoder
from xlt.encoder.tokens import Tokens
from xlt.tasks.task import AnyTask
from xlt.training.averaging import WeightAverage
from xlt.training.batches import Material, Stream, Vocabulary
from xlt.training.checkpoint import (
    TrainingState,
)
from xlt.training.material import build_material
from xlt.training.network import (
    Reading,
    TransferModel,
    build_model,
    parameter_groups,
    read,
    trainable,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """The objects of one training."""

    config: TrainConfig
    accelerator: Accelerator
    encoder: Encoder
    model: TransferModel
    wrapped: torch.nn.Module
    optimizer: torch.optim.Optimizer
    material: Material
    stream: Stream
    state: TrainingState
    steps: int
    dtype: torch.dtype
    history: list[dict[str, float]]

    def read(self, examples: Sequence[Sequence[Tokens]]) -> Reading:
        """Returns logits and vectors of examples by the current model."""
        return read(
            self.encoder.model, self.model.head, examples, self.encoder.pad_id, dtype=self.dtype
        )

    def autocast(self) -> torch.autocast:
        """Returns the context for forward passes."""
        return torch.autocast(
            self.accelerator.device.type,
            dtype=torch.bfloat16,
            enabled=self.dtype == torch.bfloat16,
        )


def set_up(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    task: AnyTask,
    config: TrainConfig,
    pairs: Sequence[tuple[str, str]],
) -> Run:
    """Loads the encoder and sets up model, material and optimizer.

    Raises:
        DataError: If a labelled example's answer is missing or not of the task.
        EncoderError: If the encoder cannot be loaded.
    """
    handlers = [DistributedDataParallelKwargs(find_unused_parameters=True)]
    accelerator = Accelerator(kwargs_handlers=handlers)
    encoder = load_encoder(config.encoder, with_mlm=_uses_mlm(config, unlabelled, pairs))
    model = build_model(encoder, task, config, texts=len(labelled[0].texts))
    material = build_material(labelled, unlabelled, pairs, encoder, model.head, config)
    vocabulary = Vocabulary(
        pad_id=encoder.pad_id,
        mask_id=encoder.mask_id,
        n_tokens=encoder.n_tokens,
        max_length=encoder.max_length,
    )
    stream = Stream(
        material,
        vocabulary,
        config,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
    )
    model.to(accelerator.device)
    dtype = encoder.forward_dtype(accelerator.device, config.precision)
    if accelerator.device.type == "cpu" and dtype == torch.bfloat16:
        encoder.model.set_attn_implementation("eager")  # the fused backward is slower: benchmarks/
    optimizer = torch.optim.AdamW(parameter_groups(model, config), fused=True)
    parameters = trainable(model)
    steps = n_steps(config, stream.steps_per_epoch)
    average = WeightAverage(
        parameters,
        kind=config.averaging,
        steps=steps,
        wanted=config.averaged_checkpoints,
        decay=config.averaging_decay,
    )
    state = TrainingState(
        parameters=parameters,
        buffers={f"head.{name}": b for name, b in model.head.named_buffers()},
        optimizer=optimizer,
        average=average,
    )
    return Run(
        config=config,
        accelerator=accelerator,
        encoder=encoder,
        model=model,
        wrapped=accelerator.prepare_model(model),
        optimizer=optimizer,
        material=material,
        stream=stream,
        state=state,
        steps=steps,
        dtype=dtype,
        history=[],
    )


def _uses_mlm(
    config: TrainConfig, unlabelled: Sequence[Example], pairs: Sequence[tuple[str, str]]
) -> bool:
    mlm = len(unlabelled) > 0 and not Schedule.parse(config.mlm_weight).is_zero
    tlm = len(pairs) > 0 and not Schedule.parse(config.tlm_weight).is_zero
    return mlm or tlm


def n_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    """Returns the number of steps: those of the epochs, within min_steps and max_steps."""
    steps = max(round(config.epochs * steps_per_epoch), config.min_steps, 1)
    return min(steps, config.max_steps) if config.max_steps else steps
