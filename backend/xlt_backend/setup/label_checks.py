"""Check of the labels that changed since the active version was trained."""

from __future__ import annotations

from xlt_backend.labelstudio.client import ProjectInfo
from xlt_backend.queue.state import ProjectState
from xlt_backend.rounds.labels import advice, faults_in_words, told_in_words
from xlt_backend.setup.checks import Check, ok, warn


def check_labels(project: ProjectInfo, state: ProjectState) -> Check:
    """Checks that xlt knows what became of former labels, as the last round found them."""
    name, changes = "labels", state.label_changes
    told = told_in_words(changes)
    if faults := faults_in_words(changes):
        fix = advice(changes, project.id) or "correct the option rename, or label more texts"
        return warn(name, "; ".join(filter(None, (faults, told))), fix)
    return ok(name, told or "all of them are known to the model, if there is one")
