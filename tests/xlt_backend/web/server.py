"""Parts of a web server for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from redis import Redis

from tests.xlt_backend.service.test_registry import Loader
from xlt.store.versions import Store
from xlt_backend.errors import NotFoundError
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.service.controls import Controls
from xlt_backend.service.events import Service
from xlt_backend.service.explain import Explainer, Fetch
from xlt_backend.service.predict import Inference
from xlt_backend.service.registry import Registry
from xlt_backend.service.search import Searcher, reader
from xlt_backend.service.versions import Versions
from xlt_backend.web.metrics import Metrics
from xlt_backend.web.parts import Parts


def no_task(project: str, task: str) -> dict[str, Any]:
    """Label Studio without tasks."""
    raise NotFoundError(f"project {project} has no task {task}")


def make_parts(
    redis: Redis,
    store: Store,
    loader: Loader,
    fetch: Fetch = no_task,
    work: Path = Path("no work"),
) -> Parts:
    """The server's parts, without background work."""
    states, queue = StateStore(redis), TrainQueue(redis)
    service = Service(states=states, queue=queue, store=store)
    registry = Registry(store, loader, capacity=2, memo_s=0.0)
    metrics = Metrics(service, registry.versions)
    inference = Inference(registry, deadline_s=5.0, timed=metrics.predicting)
    return Parts(
        service=service,
        inference=inference,
        explainer=Explainer(service.state, inference, fetch),
        searcher=Searcher(
            service.state,
            states,
            reader(registry.get),
            lambda key: store.project(key).current(),
            fetch,
            work,
        ),
        metrics=metrics,
        queue=queue,
        versions=Versions(states=states, queue=queue, store=store),
        controls=Controls(states=states, queue=queue, store=store),
        label_studio_url="http://localhost:8080",
        secret="s3cret",
    )
