"""Accuracy of the demo's first and last model on held-out texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from xlt.data.examples import Example
from xlt.errors import ServiceError
from xlt.models.predictor import Predictor
from xlt.store.versions import Store
from xlt.tasks.metrics import per_language
from xlt_backend.demo.loop import Annotation
from xlt_backend.demo.project import DemoProject
from xlt_backend.demo.report import Summary


def summarise(project: DemoProject, annotation: Annotation) -> Summary:
    """Measures the first and the last promoted version and sums up the run.

    Raises:
        ServiceError: If no version was promoted.
    """
    service, texts = project.stack.service, project.texts
    store = Store(service.settings.model_dir).project(str(project.state().get("key")))
    promoted = [change.version for change in store.history() if change.action == "promoted"]
    if not promoted:
        raise ServiceError(
            f"no model was promoted after {len(annotation.tasks)} labels; log: {service.log}"
        )
    project.say("measuring the first and the last model on held-out texts")
    in_order = [task.in_order for task in annotation.tasks if task.in_order is not None]
    return Summary(
        measure=texts.task.measure,
        before=accuracy(store.open(promoted[0]), texts.held_out),
        after=accuracy(store.open(promoted[-1]), texts.held_out),
        source=texts.source,
        labels=dict(sorted(Counter(task.lang for task in annotation.tasks).items())),
        version_names=tuple(promoted),
        seconds_per_version=tuple(round(seconds, 1) for seconds in annotation.seconds),
        served_in_order=sum(in_order),
        served=len(in_order),
        held_out=dict(Counter(e.lang for e in texts.held_out)),
    )


def accuracy(model: Path, examples: Sequence[Example]) -> dict[str, float]:
    """Returns the mean credit in [0, 1] of a version on labelled examples, per language."""
    predictor = Predictor.load(model)
    suggestions = predictor.predict(examples).suggestions
    scores = per_language(
        predictor.task,
        [example.answer for example in examples],
        [suggestion.answer for suggestion in suggestions],
        [example.lang for example in examples],
    )
    return {lang: score.accuracy for lang, score in scores.items()}
