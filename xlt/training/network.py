"""The network: an encoder with a task head and an MLM head, one forward pass per mixed batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from xlt.config import TrainConfig
from xlt.encoder.encoder import Encoder
from xlt.encoder.masked_lm import TiedMlmHead
from xlt.encoder.pooling import combine, mean_pool
from xlt.encoder.reading import each_batch, inputs_of
from xlt.encoder.tokens import Tokens
from xlt.errors import ConfigError
from xlt.losses import JointLoss, LossWeights, alignment, control_mean, joint_loss, token_mean
from xlt.tasks.heads import Head, build_head
from xlt.tasks.task import AnyTask
from xlt.training.batches import MixedBatch

_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outputs:
    """Results of one forward pass over a mixed batch.

    Attributes:
        task_logits: (B, C) of the labelled rows, or (B, U, C) of their words.
        mlm_logits: (M, V) of the masked positions of single texts.
        tlm_logits: (M', V) of the masked positions of pairs.
        sources: (P, H) vectors of the pairs' first texts at the alignment layer.
        targets: (P, H) of their translations.
    """

    task_logits: Tensor
    mlm_logits: Tensor
    tlm_logits: Tensor
    sources: Tensor
    targets: Tensor


class TransferModel(nn.Module):
    """Body, task head, and MLM head if one is needed."""

    def __init__(
        self, body: nn.Module, head: Head, mlm: nn.Module | None, *, align_layer: int
    ) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.mlm = mlm
        self.align_layer = align_layer

    def forward(self, batch: MixedBatch) -> Outputs:
        """Runs the body once over all rows of a batch."""
        with_layers = batch.n_pairs > 0
        inputs = inputs_of(self.body, batch.tokens, self.head.added)
        output = self.body(**inputs, output_hidden_states=with_layers)
        states, mask = output.last_hidden_state, batch.tokens.attention_mask  # (B, T, H), (B, T)
        words = () if batch.tokens.words is None else (batch.tokens.words,)
        layer = output.hidden_states[self.align_layer] if with_layers else states
        end, p = len(states), batch.n_pairs
        return Outputs(
            task_logits=self.head(states[: batch.n_labelled], mask[: batch.n_labelled], *words),
            mlm_logits=self._predict_masked(states, batch.mlm_positions),
            tlm_logits=self._predict_masked(states, batch.tlm_positions),
            sources=mean_pool(layer[end - 2 * p : end - p], mask[end - 2 * p : end - p]),
            targets=mean_pool(layer[end - p :], mask[end - p :]),
        )

    def _predict_masked(self, states: Tensor, positions: Tensor) -> Tensor:
        """Returns vocabulary logits (M, V) of the masked positions only."""
        hidden = states.flatten(0, 1)[positions]  # (M, H)
        if self.mlm is None or len(positions) == 0:
            return hidden[:, :1]  # (0, 1): no logits, but part of the graph
        spare = -len(hidden) % _ROWS  # few shapes: see xlt.encoder.tokens.padded_width
        logits: Tensor = self.mlm(functional.pad(hidden, (0, 0, 0, spare)))
        return logits[: len(hidden)]


def build_model(
    encoder: Encoder, task: AnyTask, config: TrainConfig, *, texts: int = 1
) -> TransferModel:
    """Adds heads to an encoder, and freezes the configured layers.

    Args:
        encoder: The encoder.
        task: The task.
        config: The settings.
        texts: Number of texts of an example.

    Raises:
        ConfigError: If `freeze_layers` or `align_layer` is above the encoder's number of layers.
    """
    layer = config.align_layer
    if layer == -1:
        layer = round(encoder.n_layers * 2 / 3)
    if layer > encoder.n_layers:
        raise ConfigError(
            f"align_layer must be at most {encoder.n_layers}, the number of layers of "
            f"{encoder.name!r}, got {layer}"
        )
    embeddings = encoder.model.get_input_embeddings()
    mlm: nn.Module | None = encoder.mlm
    if mlm is None and isinstance(embeddings, nn.Embedding):
        mlm = TiedMlmHead(embeddings, encoder.width)
    head = build_head(
        task,
        encoder.width,
        texts=texts,
        label_smoothing=config.label_smoothing,
        embedding_width=encoder.embedding_width,
    )
    model = TransferModel(encoder.model, head, mlm, align_layer=layer)
    _freeze(encoder, config)
    for module in encoder.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = config.dropout
    return model.train(config.dropout > 0)


def _freeze(encoder: Encoder, config: TrainConfig) -> None:
    body = encoder.model
    if config.freeze_embeddings:
        body.get_input_embeddings().requires_grad_(False)
        if encoder.mlm is not None:
            encoder.mlm.requires_grad_(False)
    if config.freeze_layers == 0:
        return
    if config.freeze_layers > encoder.n_layers:
        raise ConfigError(
            f"freeze_layers must be at most {encoder.n_layers}, the number of layers of "
            f"{encoder.name!r}, got {config.freeze_layers}"
        )
    layers = next(
        module
        for module in body.modules()
        if isinstance(module, nn.ModuleList) and len(module) == encoder.n_layers
    )
    getattr(body, "embeddings", body.get_input_embeddings()).requires_grad_(False)
    for layer in layers[: config.freeze_layers]:
        layer.requires_grad_(False)


def parameter_groups(model: TransferModel, config: TrainConfig) -> list[dict[str, object]]:
    """Groups trainable parameters by learning rate and decay, for AdamW."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    own_mlm = isinstance(model.mlm, TiedMlmHead)
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        is_head = name.startswith("head.") or (own_mlm and name.startswith("mlm."))
        rate = config.head_learning_rate if is_head else config.body_learning_rate
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "peak": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Returns trainable parameters by name, each tensor once."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def batch_loss(
    outputs: Outputs, batch: MixedBatch, head: Head, weights: LossWeights, config: TrainConfig
) -> JointLoss:
    """Returns this process's summand of a batch's joint loss."""
    return joint_loss(
        task=control_mean(
            head.control_losses(outputs.task_logits, batch.task_targets),
            batch.answered,
            batch.languages,
            batch.weights,
            totals=batch.language_totals,
            exponent=config.language_exponent,
        ),
        mlm=token_mean(outputs.mlm_logits, batch.mlm_targets, total=batch.mlm_total),
        tlm=token_mean(outputs.tlm_logits, batch.tlm_targets, total=batch.tlm_total),
        align=alignment(
            outputs.sources,
            outputs.targets,
            kind=config.align_loss,
            temperature=config.align_temperature,
            koleo_weight=config.koleo_weight,
            total=batch.pairs_total,
        ),
        weights=weights,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """Logits (N, C), or (N, U, C) of words, and vectors (N, D) of N examples, in their order."""

    logits: Tensor
    vectors: Tensor


def read(
    body: PreTrainedModel,
    head: Head,
    examples: Sequence[Sequence[Tokens]],
    pad_id: int,
    *,
    dtype: torch.dtype,
    batch_tokens: int = 2048,
) -> Reading:
    """Runs examples through body and head without gradient.

    Args:
        body: The encoder's body.
        head: The task's head.
        examples: N > 0 examples, each `head.texts` tokenised texts.
        pad_id: Id of the padding token.
        dtype: Data type of matrix products.
        batch_tokens: Padded tokens per forward pass.
    """
    order: list[int] = []
    logits, vectors = [], []
    tokens = [text for texts in examples for text in texts]
    for rows, states, batch in each_batch(
        body, tokens, pad_id, batch_tokens=batch_tokens, dtype=dtype, added=head.added
    ):
        order += rows
        words = () if batch.words is None else (batch.words,)
        with torch.no_grad():
            if head.texts == 1:
                logits.append(head(states, batch.attention_mask, *words).cpu())
            vectors.append(mean_pool(states, batch.attention_mask).cpu())
    back = torch.tensor(order).argsort()
    each = torch.cat(vectors)[back]
    if head.texts == 1:
        return Reading(logits=_together(logits)[back], vectors=each)
    with torch.no_grad():
        of_each = head.of_vectors(each.to(body.device)).cpu()
    return Reading(logits=of_each, vectors=combine(each.view(-1, head.texts, each.shape[-1])))


def _together(logits: Sequence[Tensor]) -> Tensor:
    """Joins logits (B, C), or (B, U, C) that are padded to the most words."""
    if logits[0].ndim == 2:
        return torch.cat(list(logits))
    most = max(part.shape[1] for part in logits)
    return torch.cat([functional.pad(p, (0, 0, 0, most - p.shape[1])) for p in logits])
