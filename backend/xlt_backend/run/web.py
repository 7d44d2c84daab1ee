"""Assembly of the web server from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xlt.data.examples import Example
from xlt.encoder.exported import Encoders
from xlt.models.model import Model
from xlt.models.serving import Serving, load_served
from xlt.store.versions import Store
from xlt_backend.errors import NotFoundError
from xlt_backend.labelstudio.gateway import Gateway
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.queue.timers import Timer, every
from xlt_backend.service.controls import Controls
from xlt_backend.service.events import Service
from xlt_backend.service.explain import Explainer
from xlt_backend.service.nearest import Nearest
from xlt_backend.service.predict import Inference
from xlt_backend.service.registry import Registry
from xlt_backend.service.search import Searcher, reader
from xlt_backend.service.versions import Versions
from xlt_backend.settings import Settings
from xlt_backend.web.metrics import Metrics
from xlt_backend.web.parts import Parts

#: Seconds between checks for a newly promoted version.
_REFRESH_S = 2.0
#: Digits of the longest id in Label Studio's databases.
_DIGITS = 19


def build(
    settings: Settings,
    states: StateStore,
    queue: TrainQueue,
    store: Store,
    timers: Sequence[Timer] = (),
) -> Parts:
    """Returns the parts of a web server; it loads models in the background once it runs."""
    service = Service(states=states, queue=queue, store=store)
    models = Models()
    registry = Registry(store, models.load, capacity=settings.loaded_versions)
    metrics = Metrics(service, registry.versions)
    inference = Inference(
        registry, deadline_s=settings.predict_deadline_s, timed=metrics.predicting
    )
    near = Nearest(settings.home / "work")
    return Parts(
        service=service,
        inference=inference,
        queue=queue,
        versions=Versions(states=states, queue=queue, store=store, work=settings.home / "work"),
        controls=Controls(states=states, queue=queue, store=store),
        explainer=Explainer(
            service.state,
            inference,
            lambda *ids: _task(settings, *ids),
            near=lambda key, *of: near.of(store.project(key), *of),
        ),
        searcher=Searcher(
            service.state,
            states,
            reader(registry.get),
            lambda key: store.project(key).current(),
            lambda *ids: _task(settings, *ids),
            settings.home / "work",
        ),
        label_studio_url=settings.label_studio_public_url,
        metrics=metrics,
        served=lambda key: models.served(key, registry.versions().get(key)),
        secret=settings.secret(),
        basic_auth=settings.basic_auth,
        open_metrics=settings.open_metrics,
        background=[every(_REFRESH_S, registry.refresh), *timers],
    )


def _task(settings: Settings, project: str, task: str) -> dict[str, Any]:
    """Returns a task from Label Studio.

    Raises:
        LabelStudioError: If it is not there, or if Label Studio cannot be asked.
    """
    if not all(id.isdecimal() and len(id) <= _DIGITS for id in (project, task)):
        raise NotFoundError(f"project {project[:40]} has no task {task[:40]}")
    return Gateway.from_settings(settings).task(int(project), int(task))


class Models:
    """Loads the models of a web server, and remembers what runs each.

    Models with the same encoder share it. Only a model whose export does not answer as it does
    imports torch.
    """

    def __init__(self) -> None:
        self._encoders = Encoders()
        self._servings: dict[tuple[str, str], Serving] = {}

    def load(self, folder: Path) -> Model:
        """Returns the model of a version's folder; it has read a first text, which takes longest.

        Raises:
            XltError: If it cannot be loaded.
        """
        model, serving = load_served(folder, self._encoders)
        self._servings[folder.parent.name, folder.name] = serving
        model.predict([Example(id="", texts=("the first text",) * model.texts)])
        return model

    def served(self, key: str, version: str | None) -> dict[str, str]:
        """Returns what runs a project's version, and why, as JSON; empty if it is not loaded."""
        serving = self._servings.get((key, version or ""))
        return {} if serving is None else {"version": str(version), **asdict(serving)}
