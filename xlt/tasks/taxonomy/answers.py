"""Answers: paths of the tree in its order, as a tuple; none of them leads on to another.

A label is a path as text, `Health / Diet`. `()` says that no path fits; it is an answer if several
can be chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from xlt.data.choice_trees import PATH
from xlt.errors import DataError
from xlt.tasks.agreement import DISAGREE, majority
from xlt.tasks.labels import own_label
from xlt.tasks.task import Agreement, Json
from xlt.tasks.trees import Path, Paths, f1, nodes_of, outermost, tree_of

#: Between the parts of a path that is written without spaces.
_SLASH = "/"


def label_of(path: Path) -> str:
    """Returns a path as text."""
    return PATH.join(path)


def labels_of(paths: Iterable[Path]) -> tuple[str, ...]:
    """Returns paths as text."""
    return tuple(map(label_of, paths))


def paths_of(labels: Iterable[str]) -> Paths:
    """Returns the paths that labels write.

    Parts are separated by ` / `. If no label has it, they are separated by `/`, so that a name can
    hold a `/` where the others are written with spaces.
    """
    written = list(labels)
    separator = PATH if any(PATH in label for label in written) else _SLASH
    return tuple(tuple(part.strip() for part in label.split(separator)) for label in written)


def read(value: Json, paths: Paths, most: int | None) -> Paths:
    """Reads one path or a list of them; each is a label or a list of names.

    Raises:
        DataError: If a path is unknown or occurs twice, or if there are several, or none, where one
            is asked for.
    """
    written = [value] if isinstance(value, str) else value
    if not isinstance(written, list | tuple):
        raise DataError(f"expected a path or a list of paths, got {value!r}")
    found = [_own(one, paths) for one in written]
    if len(set(found)) != len(found):
        raise DataError(f"expected each path once, got {list(written)}")
    answer = in_order(found, paths)
    if most == 1 and len(answer) != 1:
        raise DataError(f"expected one path, got {list(written)}")
    return answer


def in_order(found: Iterable[Path], paths: Paths) -> Paths:
    """Returns the answer of chosen paths: in the order of the tree, without those that lead on."""
    outer = set(outermost(found))
    return tuple(path for path in paths if path in outer)


def _own(value: Json, paths: Paths) -> Path:
    """Returns the path of the tree that looks like a label or a list of names.

    Raises:
        DataError: If there is none.
    """
    labels = labels_of(paths)
    forms: list[str] = []
    if isinstance(value, str):
        forms = [value, label_of(tuple(part.strip() for part in value.split(_SLASH)))]
    elif isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        forms = [label_of(tuple(value))]
    for form in forms:
        own = own_label(form, labels)
        if own is not None:
            return paths[labels.index(own)]
    shown = forms[0] if forms else value
    raise DataError(f"unknown label {shown!r}; labels: {list(labels)}")


def describe(answer: Paths) -> str:
    """Returns the paths in quotes; for an empty answer, a phrase."""
    return " and ".join(map(repr, labels_of(answer))) or "none of the labels"


def agree(votes: Mapping[str, Paths], paths: Paths, most: int | None) -> Agreement:
    """Returns the deepest paths of which more than half of the annotators chose the end or below.

    The weight is the mean credit of the votes against the answer. Where one path is asked for and
    no end has more than half, the path with most votes is the answer. Where several are, there is
    none if exactly half of the annotators chose an end that is not below an end of the answer, or
    if no vote has anything in common with the answer.
    """
    tree = tree_of(paths)
    chosen = [set(nodes_of(vote)) for vote in votes.values()]
    counts = np.array([sum(path in nodes for nodes in chosen) for path in paths])
    answer = in_order((paths[row] for row in np.flatnonzero(2 * counts > len(votes))), paths)
    if not answer and most == 1:
        found = majority(votes)
        if found.reason:
            return found
        answer = found.answer
    weight = float(np.mean([f1(answer, vote) for vote in votes.values()]))
    covered = tree.selected[:, [tree.nodes.index(path) for path in answer]].any(axis=1)
    if weight == 0.0 or (most != 1 and ((2 * counts == len(votes)) & ~covered).any()):
        return Agreement(reason=DISAGREE)
    return Agreement(answer=answer, weight=weight)


def missing(answers: Sequence[Paths]) -> str:
    """Returns what is missing to train: a second answer, if all are the same."""
    seen = sorted(set(answers))
    return "" if len(seen) > 1 else f"at least 2 different answers, got {list(map(describe, seen))}"
