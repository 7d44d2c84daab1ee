"""Scores of Label Studio's predictions: tasks with lower scores are served sooner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set


def insert_scores(published: Sequence[float], places: Sequence[float]) -> list[float]:
    """Returns scores that insert new tasks into a queue without changing its scores.

    Args:
        published: Scores in (0, 1) of the tasks in the queue.
        places: Place of each new task in the queue, as a share in [0, 1].

    Returns:
        A score in (0, 1) for each new task; all are distinct and in the order of `places`.
    """
    edges = [0.0, *sorted(published), 1.0]
    gaps = [min(int(place * (len(published) + 1)), len(published)) for place in places]
    sizes = Counter(gaps)
    seen: Counter[int] = Counter()
    scores = [0.0] * len(places)
    for index in sorted(range(len(places)), key=lambda i: (places[i], i)):
        gap = gaps[index]
        seen[gap] += 1
        low, high = edges[gap], edges[gap + 1]
        scores[index] = low + (high - low) * seen[gap] / (sizes[gap] + 1)
    return scores


def queue_scores(
    order: Sequence[str], last: Sequence[str], beside: Set[str], waiting: int
) -> dict[str, float]:
    """Turns a queue into scores; tasks that do not wait get scores between those that do.

    Args:
        order: Task ids, the one to label next first.
        last: Task ids that come after all of them.
        beside: Those of `order` that do not wait.
        waiting: Number of the others and of `last`.

    Returns:
        Task id -> score in (0, 1); lower = sooner.
    """
    ahead = 0
    places: dict[str, float] = {}
    queue = []
    for task in order:
        if task in beside:
            places[task] = (ahead + 0.5) / (waiting + 1)
        else:
            queue.append(task)
            ahead += 1
    scores = {task: rank_to_score(r, waiting) for r, task in enumerate((*queue, *last))}
    between = insert_scores(list(scores.values()), list(places.values()))
    return scores | dict(zip(places, between, strict=True))


def rank_to_score(rank: int, n: int) -> float:
    """Returns the score of a place in the queue, in (0, 1).

    Args:
        rank: 0 for the task to label next.
        n: Length of the queue.

    Returns:
        Lower = sooner; distinct for distinct ranks.

    Raises:
        ValueError: If the rank is negative or beyond the queue.
    """
    if not 0 <= rank < n:
        raise ValueError(f"rank must be in [0, {n}), got {rank}")
    return (rank + 0.5) / n


def uncertainty_to_score(uncertainty: float) -> float:
    """Returns the score of a task that is not in a published order yet.

    Args:
        uncertainty: Uncertainty in [0, 1], higher = less sure.

    Returns:
        Score in [0, 1]; lower = sooner.
    """
    return min(max(1.0 - uncertainty, 0.0), 1.0)
