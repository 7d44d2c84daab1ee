"""Finish of a training: the calibration of the saved model, and its card."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.models.card import Card, count_labels, origin, write_card
from xlt.models.predictor import Predictor
from xlt.tasks.metrics import per_language
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.task import AnyTask


def finish(
    folder: Path,
    task: AnyTask,
    *,
    config: TrainConfig,
    labelled: Sequence[Example],
    held_out: Sequence[Example],
) -> Predictions | None:
    """Calibrates the model in a folder and writes its card.

    Args:
        folder: Folder of the model.
        task: Task of the answers.
        config: The settings that it was trained with.
        labelled: Examples that it was trained on.
        held_out: Examples that calibrate and judge it; may be empty.

    Returns:
        Predictions of the held-out examples; None without any.
    """
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
    scores = Predictor.load(folder).score(held_out)
    langs = [example.lang for example in held_out]
    fitted = task.fit(scores.outputs, [example.answer for example in held_out], langs)
    fitted.save(folder)
    return interpret(task, scores, langs, fitted)
