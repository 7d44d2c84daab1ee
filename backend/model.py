"""xlt as a model of the label-studio-ml package: `label-studio-ml start backend`.

For installations that run all their models this way; `xlt serve` needs none of it. The use cases
are the same: predictions come from the active version, events ask for a round, and `xlt worker`
does the work. Both must share REDIS_URL and XLT_MODEL_DIR with this server.

Runs with label-studio-ml 1.0.9 (PyPI) and with 2.x (its repository's main branch).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import has_request_context, request
from label_studio_ml.model import LabelStudioMLBase

from xlt.store.versions import Store
from xlt_backend.labelstudio.wire import (
    TRAIN_EVENTS,
    WEBHOOK_ACTIONS,
    PredictRequest,
    SetupRequest,
    WebhookEvent,
)
from xlt_backend.queue.connection import connect
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.run.web import build
from xlt_backend.settings import Settings
from xlt_backend.web.app import Parts, answer_predict


@lru_cache(maxsize=1)
def parts() -> Parts:
    """What `xlt serve` works with, from the same environment; made once per process."""
    settings = Settings.from_env(os.environ)
    connection = connect(settings)
    timeout_s = settings.round_timeout_s + 300
    queue = TrainQueue(connection, lease_s=settings.lease_s, timeout_s=timeout_s)
    made = build(settings, StateStore(connection), queue, Store(settings.model_dir))
    for work in made.background:
        threading.Thread(target=work, args=(threading.Event(),), daemon=True).start()
    return made


class XltModel(LabelStudioMLBase):
    """The active version of whichever project a request is about.

    label-studio-ml makes an instance per request (2.x) or per /setup (1.0.9) and keeps facts to
    itself that we need (the project, its options): they are read from the request.
    """

    TRAIN_EVENTS = (*WEBHOOK_ACTIONS, *sorted(TRAIN_EVENTS))

    def __init__(
        self,
        project_id: str | None = None,
        label_config: str | None = None,
        **kwargs: Any,  # noqa: ANN401 - whatever the server knows
    ) -> None:
        # The base class would parse the interface, and 2.x keep it in a file: neither is needed.
        self.project_id = project_id or ""
        self._label_config = label_config
        self._values: dict[str, Any] = {}
        if has_request_context() and request.path == "/setup":
            found = SetupRequest.model_validate(request.get_json())
            self._values["model_version"] = parts().service.setup(found)

    def predict(
        self,
        tasks: Sequence[Mapping[str, Any]],
        context: Mapping[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401 - task data login and the like
    ) -> list[dict[str, Any]]:
        """As many predictions as tasks, in their order, as /predict of `xlt serve` gives them."""
        asked = request.get_json() if has_request_context() else {}
        body = PredictRequest(
            tasks=list(tasks),
            project=asked.get("project") or self.project_id or None,
            label_config=asked.get("label_config") or self._label_config,
        )
        return [result.model_dump() for result in answer_predict(parts(), body).results]

    def fit(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - two generations
        """Passes an event on, as /webhook of `xlt serve` does; a worker trains, never we.

        Called with `event` and `data`, by name (1.0.9, after the tasks) or in this order (2.x).
        """
        event = kwargs.get("event") or args[0]
        data = kwargs.get("data") or args[1]
        heard = parts().service.hear(WebhookEvent.model_validate({**data, "action": event}))
        return {"status": heard.status, "job": heard.job}

    # label-studio-ml 2.x keeps these in an SQLite file, and in each process's memory for good

    def get(self, key: str) -> Any:  # noqa: ANN401 - anything was put there
        """A value of this request; `model_version` is what /setup answers."""
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Keeps a value as long as the request lasts."""
        self._values[key] = value

    def has(self, key: str) -> bool:
        """Whether there is such a value."""
        return key in self._values
