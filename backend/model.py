"""xlt as a model of the label-studio-ml package: `label-studio-ml start backend`.

For installations that run all their models this way; `xlt serve` does not need this module. The
use cases are the same: predictions come from the active version, events request a round, and
`xlt worker` runs it. The worker must share REDIS_URL and XLT_MODEL_DIR with this server.

Works with label-studio-ml 1.0.9 (PyPI) and with 2.x (the main branch of its repository).
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
from xlt_backend.service.predict import answer_predict
from xlt_backend.settings import Settings
from xlt_backend.web.parts import Parts


@lru_cache(maxsize=1)
def parts() -> Parts:
    """Returns the parts of `xlt serve`, from the same environment; made once per process."""
    settings = Settings.from_env(os.environ)
    connection = connect(settings)
    timeout_s = settings.round_timeout_s + 300
    queue = TrainQueue(connection, lease_s=settings.lease_s, timeout_s=timeout_s)
    made = build(settings, StateStore(connection), queue, Store(settings.model_dir))
    for work in made.background:
        threading.Thread(target=work, args=(threading.Event(),), daemon=True).start()
    return made


class XltModel(LabelStudioMLBase):
    """The active version of the project that a request names.

    label-studio-ml makes an instance per request (2.x) or per /setup (1.0.9) and does not pass the
    project and its options on: they are read from the request.
    """

    TRAIN_EVENTS = (*WEBHOOK_ACTIONS, *sorted(TRAIN_EVENTS))

    def __init__(
        self,
        project_id: str | None = None,
        label_config: str | None = None,
        **kwargs: Any,  # noqa: ANN401 - differs between the generations
    ) -> None:
        # Not the base class: it parses the interface, and that of 2.x stores it in a file.
        self.project_id = project_id or ""
        self._label_config = label_config
        self._values: dict[str, Any] = {}
        if has_request_context() and request.path == "/setup":
            setup = SetupRequest.model_validate(request.get_json())
            self._values["model_version"] = parts().service.setup(setup)

    def predict(
        self,
        tasks: Sequence[Mapping[str, Any]],
        context: Mapping[str, Any] | None = None,
        **kwargs: Any,  # noqa: ANN401 - such as a login for task data
    ) -> list[dict[str, Any]]:
        """Returns one prediction per task, in their order, the same as /predict of `xlt serve`."""
        body = request.get_json() if has_request_context() else {}
        wanted = PredictRequest(
            tasks=list(tasks),
            project=body.get("project") or self.project_id or None,
            label_config=body.get("label_config") or self._label_config,
        )
        answer = answer_predict(parts().service, parts().inference, wanted)
        return [result.model_dump() for result in answer.results]

    def fit(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401 - two generations
        """Passes an event on, as /webhook of `xlt serve` does; only workers train.

        Called with `event` and `data`, by name (1.0.9, after the tasks) or in this order (2.x).
        """
        event = kwargs.get("event") or args[0]
        data = kwargs.get("data") or args[1]
        outcome = parts().service.handle(WebhookEvent.model_validate({**data, "action": event}))
        return {"status": outcome.status, "job": outcome.job}

    # The base class of 2.x keeps these values in an SQLite file and in the memory of each process.

    def get(self, key: str) -> Any:  # noqa: ANN401 - any value
        """Returns a value of this request; /setup answers `model_version`."""
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Keeps a value until the request ends."""
        self._values[key] = value

    def has(self, key: str) -> bool:
        """Returns whether the request has this value."""
        return key in self._values
