"""Finds what is to be done and nobody asked for: lost events, old predictions in a quiet hour."""

from __future__ import annotations

import logging
from typing import Protocol

from xlt.errors import XltError
from xlt_backend.errors import NotFoundError
from xlt_backend.labelstudio.gateway import Connected
from xlt_backend.queue.state import StateStore
from xlt_backend.service.events import Queue, Service

logger = logging.getLogger(__name__)


class LabelStudio(Protocol):
    """What reconciling needs of Label Studio."""

    def connected(self) -> list[Connected]:
        """All projects that have this xlt as their model."""

    def activity(self, project_id: int) -> str:
        """A signature that changes when tasks, labels or the interface change."""

    def quiet(self, project_id: int) -> bool:
        """Whether nobody has worked in the project for some minutes."""

    def ensure_webhook(self, project_id: int) -> None:
        """Makes sure that the project's events reach us, with the secret."""


def reconcile(
    label_studio: LabelStudio, states: StateStore, queue: Queue, service: Service
) -> tuple[str, ...]:
    """Looks at every project; returns those for which a round was asked.

    One project that cannot be looked at holds back no other; its state says what went wrong.

    Raises:
        XltError: If Redis or Label Studio do not answer at all.
    """
    connected = {str(found.info.id): found for found in label_studio.connected()}
    asked = []
    for project in dict.fromkeys((*connected, *states.projects())):
        try:
            if _differs(label_studio, states, service, project, connected.get(project)):
                queue.ask(project, forced=True)  # it answers again: no pause is needed
                asked.append(project)
        except NotFoundError as error:
            logger.info("project %s is forgotten: %s", project, error)
            states.forget(project)
        except XltError as error:
            logger.warning("project %s: %s", project, error)
            states.put(project, last_error=f"reconcile: {error}")
    return tuple(asked)


def _differs(
    label_studio: LabelStudio,
    states: StateStore,
    service: Service,
    project: str,
    found: Connected | None,
) -> bool:
    """Whether a round is worth while; notes interface and options on the way.

    A project that knows us under another address (`found` is None) told us those by /setup.
    """
    state, edited = states.get(project), False
    if found is not None:
        info = found.info
        if state.key and state.key != info.key:
            states.forget(project)
            state = states.get(project)
        edited = (state.label_config, state.extra_params) != (
            info.label_config,
            found.extra_params,
        )
        if edited or not state.key:
            service.note_config(project, info.key, info.label_config, found.extra_params)
        states.put(project, title=info.title)
        label_studio.ensure_webhook(info.id)
    if edited or label_studio.activity(int(project)) != state.activity:
        return True
    waits = state.leftovers > 0 or state.adaptation_due
    return waits and label_studio.quiet(int(project))
