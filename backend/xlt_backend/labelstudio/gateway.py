"""The Label Studio of this installation: the client, with this xlt's address and secret."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from xlt_backend.errors import NotFoundError
from xlt_backend.labelstudio.client import Client, ProjectInfo
from xlt_backend.labelstudio.links import backends, ensure_webhook, same_address
from xlt_backend.labelstudio.views import list_tasks
from xlt_backend.settings import Settings

#: Number of periods of the comparison with Label Studio after which a project with another model is
#: looked at again: that takes one request per project, and new connections announce themselves.
_PAUSE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A project of Label Studio whose model is this xlt.

    Attributes:
        info: The project.
        extra_params: Its options as Label Studio stores them with the model.
    """

    info: ProjectInfo
    extra_params: Any


class Gateway(Client):
    """The client, which also knows which of a project's models and webhooks are this xlt's.

    Args:
        url: Address of Label Studio.
        token: Its access token.
        public_url: Address of this xlt, as Label Studio calls it.
        secret: Secret of the webhooks.
        pause_s: Seconds for which `connected` takes a project to have another model still.
    """

    def __init__(
        self, url: str, token: str, *, public_url: str, secret: str, pause_s: float = 0.0
    ) -> None:
        super().__init__(url, token)
        self._public_url = public_url.rstrip("/")
        self._secret = secret
        self._pause_s = pause_s
        self._others: dict[str, float] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Gateway:
        """Returns the process's one gateway to the settings' Label Studio, so that tokens are kept.

        Raises:
            LabelStudioError: If there is no usable token.
        """
        return _gateway(settings)

    def options(self, project_id: int) -> object:
        """Returns the options that the project stores with its model; None if that is another.

        Raises:
            NotFoundError: If the project has no model any more.
        """
        rows = backends(self, project_id)
        if not rows:
            raise NotFoundError(f"project {project_id} has no model; run `xlt connect`")
        ours = self._ours(rows)
        return ours.get("extra_params") if ours else None

    def connected(self, known: Collection[str] = ()) -> list[Connected]:
        """Lists the projects whose model is this xlt.

        Args:
            known: Projects of which it is known; the others are asked only once in a while.
        """
        now = time.monotonic()
        self._others = {key: until for key, until in self._others.items() if now < until}
        connected = []
        for info in self.projects():
            if info.key in self._others and str(info.id) not in known:
                continue
            ours = self._ours(backends(self, info.id))
            if ours is None:
                self._others[info.key] = now + self._pause_s
            else:
                connected.append(Connected(info=info, extra_params=ours.get("extra_params")))
        return connected

    def ensure_webhook(self, project_id: int) -> None:
        """Makes sure that the project's events reach this xlt, with the secret."""
        ensure_webhook(self, project_id, f"{self._public_url}/webhook", self._secret)

    def list_tasks(self, project_id: int, title: str, tasks: Sequence[int]) -> None:
        """Shows these tasks in a tab of the Data Manager, by their place in the queue."""
        list_tasks(self, project_id, title, tasks)

    def _ours(self, rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """Returns the row of this xlt, if it is one of the project's models."""
        return next((row for row in rows if same_address(row.get("url"), self._public_url)), None)


@lru_cache(maxsize=1)
def _gateway(settings: Settings) -> Gateway:
    return Gateway(
        settings.label_studio_url,
        settings.label_studio_token or "",
        public_url=settings.public_url,
        secret=settings.secret(),
        pause_s=_PAUSE * settings.reconcile_s,
    )
