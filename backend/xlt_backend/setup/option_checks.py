"""Checks of a project's options, and of what people set beyond them."""

from __future__ import annotations

from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState
from xlt_backend.rounds.steering import Steering, paused_words
from xlt_backend.setup.checks import Check, ok, warn


def check_options(state: ProjectState) -> Check:
    """Checks that tasks have the languages and fields that options name, as the last round saw."""
    name = "options"
    if state.unanswered:
        fix = "import tasks that have it, or correct it with `xlt connect --option NAME=VALUE`"
        return warn(name, "; ".join(state.unanswered), fix)
    return ok(name, "tasks have all languages and fields that they name")


def check_languages(state: ProjectState) -> Check:
    """Checks that people named the languages of all tasks, or confirmed those that were found."""
    name = "languages"
    if not state.identified:
        return ok(name, "all tasks name theirs")
    if ProjectOptions.from_extra_params(state.extra_params).languages:
        return ok(name, state.identified.strip())
    fix = (
        'confirm them with `xlt connect --option languages=LIST`, such as \'["bam", "wol"]\', or '
        "give tasks their language (option language_field)"
    )
    return warn(name, state.identified.strip(), fix)


def check_steering(project: str, now: Steering) -> Check:
    """Checks that the project is not paused, and names a quota that replaces the option."""
    name = "steering"
    if now.paused:
        return warn(name, paused_words(project, now), f"xlt resume {project}")
    if now.quota:
        weights = ", ".join(f"{lang} {weight:g}" for lang, weight in sorted(now.quota.items()))
        return ok(name, f"{now.quota_by} set the quota {weights}; the option quota does not count")
    return ok(name, "as in the project's options")
