"""The use cases of this installation, for commands, and the person who gives them."""

from __future__ import annotations

import getpass
from dataclasses import dataclass

from xlt.errors import ConfigError
from xlt.store.versions import Store
from xlt_backend.errors import UnknownProjectError
from xlt_backend.queue.connection import connect
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.service.controls import Controls
from xlt_backend.service.remarks import remark
from xlt_backend.service.versions import Versions
from xlt_backend.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The use cases of people.

    Attributes:
        states: States of the projects.
        versions: Those about versions.
        controls: Those that steer a project.
    """

    states: StateStore
    versions: Versions
    controls: Controls

    def project(self, named: str | None) -> str:
        """Returns the project that a command is about: the one named, or the only one.

        Raises:
            ConfigError: If none is named and xlt knows several.
            UnknownProjectError: If xlt knows none.
            RedisDownError: If Redis does not answer.
        """
        if named is not None:
            return named
        known = self.states.projects()
        if not known:
            raise UnknownProjectError(
                "xlt knows no project yet: run `xlt connect`, or set the settings of the service"
            )
        if len(known) > 1:
            raise ConfigError(f"name one of the projects {', '.join(known)} with --project")
        return known[0]


def build(settings: Settings) -> Parts:
    """Returns the use cases of an installation; sends nothing yet.

    Raises:
        XltError: If an address in the settings is not one.
    """
    redis = connect(settings)
    states, queue, store = StateStore(redis), TrainQueue(redis), Store(settings.model_dir)
    return Parts(
        states=states,
        versions=Versions(states=states, queue=queue, store=store, work=settings.home / "work"),
        controls=Controls(states=states, queue=queue, store=store),
    )


def person() -> str:
    """Returns the user of the shell; `unknown` if the system does not say."""
    try:
        return remark(getpass.getuser()) or "unknown"
    except (OSError, KeyError):
        return "unknown"
