"""Step that reviews the labels, and lists those that look wrong for people."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from xlt.data.examples import Example
from xlt.review.labels import Review
from xlt_backend.rounds.changes import Changes
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.progress import Progress
from xlt_backend.rounds.review import TAB, ReviewQueue, review


def review_labels(
    progress: Progress,
    context: Context,
    labelled: Sequence[Example],
    answers: Mapping[str, Mapping[str, Hashable]],
    rng: np.random.Generator,
) -> Review | None:
    """Reviews the labels by vectors of an encoder that was not trained on them.

    Returns:
        None if that fails; the order is published anyway.
    """
    progress.enter("recheck")
    return progress.attempt(
        lambda: review(labelled, answers, context.vectors, context.interface.task, rng),
        "labels are not reviewed",
    )


def drop_suspects(progress: Progress, changes: Changes) -> None:
    """Takes labels off the list of suspects whose text or label is no longer there."""
    lost = {*changes.replaced, *changes.gone}
    listed = progress.tools.states.get(progress.project).doubtful if lost else []
    left = [item for item in listed if item["task"] not in lost]
    if len(left) < len(listed):
        progress.fence()
        progress.tools.label_studio.list_tasks(progress.id, TAB, [int(i["task"]) for i in left])
        progress.report(doubtful=left)


def list_suspects(progress: Progress, context: Context, queue: ReviewQueue) -> None:
    """Lists suspect labels for people; reopens tasks if the project wants second answers."""
    suspects = queue.listed(context.interface.task)
    progress.report(doubtful=suspects, annotators=queue.annotators(), certainty=queue.certainty())
    if queue.review is None:
        return
    progress.enter("recheck")
    progress.fence()
    studio = progress.tools.label_studio
    studio.list_tasks(progress.id, TAB, [int(item["task"]) for item in suspects])
    studio.reopen({int(text.id): len(text.votes) + 1 for text in queue.to_reopen(context.options)})
