"""Step that deletes predictions and versions of xlt that are no longer needed."""

from __future__ import annotations

from xlt_backend.names import is_ours
from xlt_backend.rounds.context import Context
from xlt_backend.rounds.progress import Progress


def prune(progress: Progress, context: Context) -> None:
    """Deletes what is no longer needed.

    Predictions that can only be deleted when the project is idle are left to the round that the
    reconciler then requests.
    """
    progress.enter("prune")
    studio = progress.tools.label_studio
    shown = studio.project(progress.id).model_version
    stored = studio.versions(progress.id)
    ours = {name for name in stored if is_ours(name)}
    old = ours - {shown} if shown in stored else set()  # otherwise none of them can be deleted
    if old:
        foreign = [name for name in stored if name not in ours]
        old -= set(studio.prune_predictions(progress.id, foreign))
    progress.report(shown=shown if shown in ours else "", leftovers=len(old))
    context.versions.prune(context.options.keep_versions)
    context.workspace.forget_all_but(context.versions.versions())
