"""Label Studio as rounds and the reconciler need it: the client, with what is ours about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from xlt_backend.errors import NotFoundError
from xlt_backend.labelstudio.client import Client, ProjectInfo
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.labelstudio.links import backends, ensure_webhook, same_address
from xlt_backend.labelstudio.views import list_tasks
from xlt_backend.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A project of Label Studio that has this xlt as its model.

    Attributes:
        info: The project.
        extra_params: Its options, as they are stored with the model.
    """

    info: ProjectInfo
    extra_params: Any


class Gateway:
    """One Label Studio and this installation of xlt."""

    def __init__(self, client: Client, *, public_url: str, secret: str) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")
        self._secret = secret

    @classmethod
    def from_settings(cls, settings: Settings) -> Gateway:
        """The Label Studio of the settings; one client per process, so that tokens are reused.

        Raises:
            LabelStudioError: If there is no token, or not one that can be used.
        """
        return _gateway(settings)

    # What a round needs ----------------------------------------------------------------------

    def project(self, project_id: int) -> ProjectInfo:
        """One project."""
        return self._client.project(project_id)

    def options(self, project_id: int) -> object:
        """The options that the project stores with its model; None where its model is another.

        Raises:
            NotFoundError: If the project has no model any more.
        """
        rows = backends(self._client, project_id)
        if not rows:
            raise NotFoundError(f"project {project_id} has no model; run `xlt connect`")
        ours = self._ours(rows)
        return ours.get("extra_params") if ours else None

    def tasks(self, project_id: int) -> list[dict[str, Any]]:
        """All tasks with their annotations."""
        return self._client.tasks(project_id)

    def activity(self, project_id: int) -> str:
        """A signature that changes when tasks, labels or the interface change."""
        return self._client.activity(project_id)

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Task id -> score of its prediction of `version`, where it has one."""
        return self._client.scores(project_id, version)

    def versions(self, project_id: int) -> Mapping[str, int]:
        """Versions of predictions that Label Studio has, with their number."""
        return self._client.versions(project_id)

    def publish(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> int:
        """Stores predictions and makes sure that they are all there."""
        return self._client.publish(project_id, version, rows)

    def switch(self, project_id: int, version: str) -> None:
        """From now on tasks are shown with and ordered by these predictions."""
        self._client.switch(project_id, version)

    def list_tasks(self, project_id: int, title: str, tasks: Sequence[int]) -> None:
        """A tab of the Data Manager with these tasks, by their place in the queue."""
        list_tasks(self._client, project_id, title, tasks)

    def reopen(self, project_id: int, answers: Mapping[int, int]) -> None:
        """Finished tasks wait until they have so many answers, by as many annotators."""
        self._client.reopen(answers)

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Deletes predictions of all other versions but the project's own."""
        return self._client.prune_predictions(project_id, keep)

    # What reconciling needs ------------------------------------------------------------------

    def quiet(self, project_id: int) -> bool:
        """Whether nobody has worked in the project for some minutes."""
        return self._client.quiet(project_id)

    def connected(self) -> list[Connected]:
        """All projects that have this xlt as their model."""
        found = []
        for info in self._client.projects():
            ours = self._ours(backends(self._client, info.id))
            if ours is not None:
                found.append(Connected(info=info, extra_params=ours.get("extra_params")))
        return found

    def ensure_webhook(self, project_id: int) -> None:
        """Makes sure that the project's events reach us, with the secret."""
        ensure_webhook(self._client, project_id, f"{self._public_url}/webhook", self._secret)

    def _ours(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """The model that is this xlt, among all of a project."""
        for row in rows:
            if same_address(row.get("url"), self._public_url):
                return row
        return None


@lru_cache(maxsize=1)
def _gateway(settings: Settings) -> Gateway:
    client = Client(settings.label_studio_url, settings.label_studio_token or "")
    return Gateway(client, public_url=settings.public_url, secret=settings.secret())
