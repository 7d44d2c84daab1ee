"""Results of a model on labelled examples: a table for people, numbers for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlt.cli.arguments import print_status
from xlt.cli.report import language_table, signature
from xlt.data.examples import Example
from xlt.tasks import metrics
from xlt.tasks.predictions import Predictions
from xlt.tasks.quality import by_language, quality
from xlt.tasks.task import AnyTask


def judged(
    task: AnyTask,
    examples: Sequence[Example],
    predictions: Predictions,
    *,
    title: str,
    model: Path,
    seed: int,
) -> dict[str, object]:
    """Shows accuracy per language and the signature of the result; returns the numbers.

    Args:
        task: What the answers belong to.
        examples: N examples with answers.
        predictions: Of these examples.
        title: Of the table.
        model: The model's folder.
        seed: That the result depends on.
    """
    truth = [example.answer for example in examples]
    predicted = [suggestion.answer for suggestion in predictions.suggestions]
    langs = [example.lang for example in examples]
    scores = metrics.per_language(task, truth, predicted, langs)
    total = metrics.score(task, truth, predicted)
    unjudged = metrics.without_answers(task, truth)
    if unjudged:
        names = ", ".join(map(repr, unjudged))
        print_status(f"labels that cannot be judged, because no text has them: {names}")
    language_table(scores, title, measure=task.measure)
    line = signature(total, list(scores), model, seed, measure=task.measure)
    print_status(line)
    confidence = np.array([suggestion.confidence for suggestion in predictions.suggestions])
    by_lang = by_language(task, truth, predicted, langs, confidence.tolist())
    return {
        "languages": {lang: score.to_json() for lang, score in scores.items()},
        "total": total.to_json(),
        "ece": round(metrics.ece(confidence, task.credit(truth, predicted)), 4),
        "quality": {
            "total": quality(task, truth, predicted, confidence.tolist()).to_json(),
            "languages": {lang: each.to_json() for lang, each in by_lang.items()},
        },
        "signature": line,
    } | ({"unjudged_labels": unjudged} if unjudged else {})
