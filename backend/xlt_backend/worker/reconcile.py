"""Periodic check for work that no webhook announced: lost events, old predictions."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Protocol

from xlt.errors import XltError
from xlt_backend.errors import NotFoundError
from xlt_backend.labelstudio.gateway import Connected
from xlt_backend.queue.state import StateStore
from xlt_backend.service.events import Service
from xlt_backend.service.ports import RoundQueue

logger = logging.getLogger(__name__)


class LabelStudio(Protocol):
    """The part of Label Studio's API that reconciling needs."""

    def connected(self, known: Collection[str]) -> list[Connected]:
        """Returns all projects that have this xlt as their model; `known` are asked for sure."""

    def activity(self, project_id: int) -> str:
        """Returns a signature that changes when tasks, labels or the interface change."""

    def quiet(self, project_id: int) -> bool:
        """Returns whether the project has been idle for some minutes."""

    def ensure_webhook(self, project_id: int) -> None:
        """Makes sure that Label Studio sends the project's events to us, with the secret."""


def reconcile(
    label_studio: LabelStudio, states: StateStore, queue: RoundQueue, service: Service
) -> tuple[str, ...]:
    """Checks every project; returns those for which it requested a round.

    An error of one project is recorded in its state and does not affect the others.

    Raises:
        XltError: If Redis or Label Studio do not answer at all.
    """
    known = states.projects()
    connected = {str(project.info.id): project for project in label_studio.connected(known)}
    requested = []
    for project in dict.fromkeys((*connected, *known)):
        try:
            if _needs_round(label_studio, states, service, project, connected.get(project)):
                queue.request(project, forced=True)  # Label Studio answers: end a hold
                requested.append(project)
        except NotFoundError as error:
            logger.info("project %s: dropped its stored state: %s", project, error)
            states.forget(project)
        except XltError as error:
            logger.warning("project %s: %s", project, error)
            states.put(project, last_error=f"reconcile: {error}")
    return tuple(requested)


def _needs_round(
    label_studio: LabelStudio,
    states: StateStore,
    service: Service,
    project: str,
    connected: Connected | None,
) -> bool:
    """Returns whether a project needs a round; records its interface and options.

    A project that has us as a model under another address (`connected` is None) sends these with
    /setup.
    """
    state, edited = states.get(project), False
    if connected is not None:
        info = connected.info
        if state.key and state.key != info.key:
            states.forget(project)
            state = states.get(project)
        edited = (state.label_config, state.extra_params) != (
            info.label_config,
            connected.extra_params,
        )
        if edited or not state.key:
            service.record_config(project, info.key, info.label_config, connected.extra_params)
        states.put(project, title=info.title)
        label_studio.ensure_webhook(info.id)
    if edited or service.is_behind(project):
        return True
    if label_studio.activity(int(project)) != state.activity:
        return True
    deferred = state.leftovers > 0 or state.adaptation_due
    return deferred and label_studio.quiet(int(project))
