"""Finish of a training: the saved model, its calibration, and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.frozen.several import Frozen
from xlt.models.card import Card, count_labels, origin, write_card
from xlt.models.frozen import save_frozen
from xlt.tasks.metrics import per_language
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.task import AnyTask

if TYPE_CHECKING:
    from torch import nn

    from xlt.encoder.encoder import Encoder


def save(
    out: Path,
    encoder: Encoder | Path,
    head: nn.Module | Frozen,
    task: AnyTask,
    *,
    config: TrainConfig,
    labelled: Sequence[Example],
    held_out: Sequence[Example],
    losses: Sequence[Mapping[str, float]] = (),
) -> Predictions | None:
    """Writes a model with its calibration and its card, whole or not at all.

    Args:
        out: Folder of the model.
        encoder: The encoder, trained unless the model is a frozen one; of such a one also the
            folder of another model with the same encoder, whose files are copied.
        head: The trained head, or the frozen model.
        task: Task of the answers.
        config: The settings that it was trained with.
        labelled: Examples that it was trained on.
        held_out: Examples that calibrate and judge it; may be empty.
        losses: The parts of the loss along the training.

    Returns:
        Predictions of the held-out examples; None without any.

    Raises:
        StoreError: If it cannot be written, see `xlt.models.artifact.save_model`.
    """
    judged: list[Predictions | None] = []
    texts = len(labelled[0].texts)

    def finish(folder: Path) -> None:
        judged.append(_finish(folder, task, config, labelled, held_out))

    if isinstance(encoder, Path):
        assert isinstance(head, Frozen)
        save_frozen(out, encoder, head, task=task, config=config, texts=texts, finish=finish)
    else:
        from xlt.models.artifact import save_model

        save_model(
            out, encoder, head, task=task, config=config, losses=losses, texts=texts, finish=finish
        )
    return judged[0]


def _finish(
    folder: Path,
    task: AnyTask,
    config: TrainConfig,
    labelled: Sequence[Example],
    held_out: Sequence[Example],
) -> Predictions | None:
    """Calibrates the model in a folder and writes its card; returns held-out predictions."""
    predictions = _calibrated(folder, held_out, task) if held_out else None
    suggestions = [] if predictions is None else predictions.suggestions
    truth, langs = [e.answer for e in held_out], [e.lang for e in held_out]
    card = Card(
        task=task,
        encoder=origin(config.encoder, frozen=config.learner == "frozen"),
        labels_spent=count_labels(labelled),
        texts=len(labelled[0].texts),
        day=datetime.now(UTC).date(),
        judges="held-out labels",
        scores=per_language(task, truth, [s.answer for s in suggestions], langs),
    )
    write_card(folder, card)
    return predictions


def _calibrated(folder: Path, held_out: Sequence[Example], task: AnyTask) -> Predictions:
    """Calibrates the model in a folder; returns its predictions of the held-out examples.

    It loads the model from its file, as it will be used: the file stores fewer bits.
    """
    from xlt.models.predictor import Predictor

    scores = Predictor.load(folder).score(held_out)
    langs = [example.lang for example in held_out]
    fitted = task.fit(scores.outputs, [example.answer for example in held_out], langs)
    fitted.save(folder)
    return interpret(task, scores, langs, fitted)
