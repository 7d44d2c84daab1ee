"""Languages and fields that a project's options name, against its tasks.

Tasks may come later than options, so that a name without tasks is no error: the round goes on, and
`/status`, the log and `xlt doctor` say it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xlt.data.languages import languages_named, listed, resolved
from xlt_backend.labelstudio.lookup import look_up
from xlt_backend.options import ProjectOptions

_FIELDS = ("text_field", "language_field", "group_field")
#: Number of keys that a line lists, and the number of characters of each.
_LISTED, _WIDTH = 12, 40


def resolve(options: ProjectOptions, langs: Collection[str]) -> ProjectOptions:
    """Returns the options with members in place of macrolanguages that only name members.

    Args:
        options: The project's options.
        langs: Languages of all its tasks, labelled ones included.
    """
    changed: dict[str, object] = {"source_languages": resolved(options.source_languages, langs)}
    if isinstance(options.quota, dict):
        changed["quota"] = {
            lang: weight
            for name, weight in options.quota.items()
            for lang in resolved([name], langs)
        }
    return options.model_copy(update=changed)


def unanswered(
    options: ProjectOptions, langs: Sequence[str], tasks: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Returns a line for each language or field that was set and that no task has.

    Args:
        options: The project's options, as Label Studio stores them.
        langs: Language of each task with a text.
        tasks: All tasks, as Label Studio exports them.
    """
    if not tasks:
        return []
    given = options.model_fields_set
    texts = Counter(langs)
    named = [("source_languages", name) for name in options.source_languages]
    if isinstance(options.quota, dict):
        named += [("quota", name) for name in options.quota]
    lines = [
        f"option {option}: no task is in {name[:_WIDTH]!r}; tasks are in {listed(texts)}"
        for option, name in named
        if option in given and not languages_named(name, texts)
    ]
    data = [task["data"] for task in tasks if isinstance(task.get("data"), Mapping)]
    keys = list(dict.fromkeys(str(key)[:_WIDTH] for row in data for key in row))[:_LISTED]
    for option in _FIELDS:
        field = getattr(options, option)
        if option in given and field and all(look_up(row, field) is None for row in data):
            lines.append(f"option {option}: no task has {field[:_WIDTH]!r}; tasks have {keys}")
    return lines
