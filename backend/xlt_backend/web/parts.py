"""The objects that the routes of the web server work with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from xlt_backend.service.controls import Controls
from xlt_backend.service.events import Service
from xlt_backend.service.explain import Explainer
from xlt_backend.service.ports import RoundQueue
from xlt_backend.service.predict import Inference
from xlt_backend.service.search import Searcher
from xlt_backend.service.versions import Versions
from xlt_backend.web.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The use cases of a web server, its metrics and its credentials.

    Attributes:
        service: The use cases of events and status.
        inference: Predictions for /predict.
        queue: Queue of rounds.
        versions: Use cases of people about versions.
        controls: Use cases of people who steer a project.
        explainer: Reasons for suggestions.
        searcher: Finds waiting tasks by a query.
        label_studio_url: Address at which browsers reach Label Studio, for links of the page.
        metrics: The counters and timers of /metrics.
        secret: Shared secret of the webhooks.
        served: Returns what runs the active version of a project's key, and why, as JSON.
        basic_auth: User and password of all other routes; None if they are open.
        open_metrics: Whether /metrics needs no password.
        background: Functions that run in threads while the server runs; each ends when its event
            is set.
    """

    service: Service
    inference: Inference
    queue: RoundQueue
    versions: Versions
    controls: Controls
    explainer: Explainer
    searcher: Searcher
    label_studio_url: str
    metrics: Metrics
    secret: str
    served: Callable[[str], dict[str, str]] = lambda key: {}
    basic_auth: tuple[str, str] | None = None
    open_metrics: bool = False
    background: Sequence[Callable[[threading.Event], None]] = ()
