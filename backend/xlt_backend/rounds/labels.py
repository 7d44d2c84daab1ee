"""Labels that changed since the active version was trained, for `/status` and people. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from xlt.tasks.relabelling import Regrouping, relabelling
from xlt.tasks.renames import GONE, Renames, label_now, refusal, unknown_in, without_effect
from xlt.tasks.task import AnyTask

#: Similarity in [0, 1] from which a label may be another one's new name.
_CLOSE = 0.7
#: Largest number of labels of one kind of change that a project's state lists.
_LISTED = 50
_SHOWN = 3  # commands in a line

#: `added`: labels that the model does not know. `renamed`: its labels that have another name by
#: now, as was told. `removed`, `vanished`: former labels that were told to be removed, or of which
#: nothing was told, with their number of `answers`; `perhaps` is the label that the latter may be
#: now. `no_effect`: renames that the interface does not bear out, in words. `unusable`: why the
#: model gives no suggestions. Keys without content are left out.
LabelChanges = Mapping[str, Any]


def label_changes(
    model: AnyTask | None,
    task: AnyTask,
    renames: Renames,
    unused: Mapping[str, Sequence[str]],
    given: Sequence[str],
) -> dict[str, Any]:
    """Compares the labels of the active version and of unused answers with those of now.

    Args:
        model: Task of the active version; None without one.
        task: The project's task.
        renames: Labels that were renamed, as told.
        unused: Reason -> ids of the tasks with an answer that is not used, one for each.
        given: Labels of now that used answers decide.
    """
    unusable = _unusable(model, task, renames)
    if not isinstance(task, Regrouping):
        return {"unusable": unusable} if unusable else {}
    known = model.labels if model is not None and model.kind == task.kind else ()
    unread = [label for label in map(unknown_in, unused) if label is not None]
    now = {label: label_now(label, task.labels, renames) for label in (*known, *unread)}
    taken = set(now.values()) if known else set(given)
    added = [label for label in task.labels if label not in taken]
    vanished = [label for label, name in now.items() if name is None]

    def answers(label: str, name: str | None) -> int:
        return len(unused.get(refusal(label, name), ()))

    removed = [
        old for old, new in renames.items() if new == GONE and (old in known or answers(old, GONE))
    ]
    changes = {
        "added": added[:_LISTED] if known else [],
        "renamed": {o: n for o, n in list(now.items())[:_LISTED] if n and n != o and o in known},
        "removed": {old: {"answers": answers(old, GONE)} for old in removed[:_LISTED]},
        "vanished": {
            label: {
                "answers": answers(label, None),
                "perhaps": _perhaps(label, vanished, added, task.labels),
            }
            for label in vanished[:_LISTED]
        },
        "no_effect": without_effect(renames, task.labels)[:_LISTED],
        "unusable": unusable,
    }
    return {kind: found for kind, found in changes.items() if found}


def _unusable(model: AnyTask | None, task: AnyTask, renames: Renames) -> str:
    if model is None or relabelling(model, task, renames) is not None:
        return ""
    if model.kind != task.kind:
        return f"the active version is of the kind {model.kind}, not {task.kind}"
    if not isinstance(task, Regrouping):
        return f"the labels differ from those of the active version, of the kind {task.kind}"
    return "the active version knows too few of the labels"


def _perhaps(
    former: str, vanished: Sequence[str], added: Sequence[str], labels: Sequence[str]
) -> str:
    """Returns the label that a former one may be now; empty if none is likely."""
    if len(vanished) == len(added) == 1:
        return added[0]
    for candidates in (added, labels):
        folded = {label.casefold(): label for label in candidates}
        close = get_close_matches(former.casefold(), list(folded), n=1, cutoff=_CLOSE)
        if close:
            return folded[close[0]]
    return ""


def after_training(changes: LabelChanges) -> dict[str, Any]:
    """Returns the changes that remain once a model was trained on the labels of now."""
    unread = {
        label: found for label, found in changes.get("vanished", {}).items() if found["answers"]
    }
    rest = {kind: changes[kind] for kind in ("removed", "no_effect") if kind in changes}
    return rest | ({"vanished": unread} if unread else {})


def faults_in_words(changes: LabelChanges) -> str:
    """Describes the changes that a person should look at; empty without any."""
    parts = [
        f"{label!r}{_answers(found['answers'])} is no label of the interface any more"
        for label, found in changes.get("vanished", {}).items()
    ]
    parts += [f"the option rename has no effect: {line}" for line in changes.get("no_effect", ())]
    if unusable := changes.get("unusable"):
        parts.append(f"{unusable}, so there are no suggestions until the next training")
    return "; ".join(parts)


def advice(changes: LabelChanges, project: int | str) -> str:
    """Returns the command that tells the likely renames of vanished labels; empty if none did."""
    told = [
        shlex.quote(f"{label}={found['perhaps']}")
        for label, found in list(changes.get("vanished", {}).items())[:_SHOWN]
    ]
    commands = [f"`xlt connect --project {project} --rename {each}`" for each in told]
    if not commands:
        return ""
    return f"if it was renamed or removed (nothing behind `=`), say so: {', '.join(commands)}"


def told_in_words(changes: LabelChanges) -> str:
    """Describes the changes that xlt follows; empty without any."""
    return "; ".join(_told(changes))


def _told(changes: LabelChanges) -> Iterator[str]:
    if added := changes.get("added"):
        names = ", ".join(map(repr, added))
        yield f"new since the last training and not suggested yet: {names}"
    if renamed := changes.get("renamed"):
        names = ", ".join(f"{old!r} as {new!r}" for old, new in renamed.items())
        yield f"the active version is read in other labels: {names}"
    if removed := changes.get("removed"):
        names = ", ".join(
            f"{label!r}{_answers(found['answers'])}" for label, found in removed.items()
        )
        yield f"removed: {names}"


def _answers(count: int) -> str:
    return f" ({count} answer{'' if count == 1 else 's'})" if count else ""
