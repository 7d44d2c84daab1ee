"""Assembly of the web server from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from xlt.data.examples import Example
from xlt.store.versions import Store
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.queue.timers import Timer, every
from xlt_backend.service.events import Service
from xlt_backend.service.predict import Inference
from xlt_backend.service.registry import Model, Registry
from xlt_backend.settings import Settings
from xlt_backend.web.metrics import Metrics
from xlt_backend.web.parts import Parts

#: Seconds between checks for a newly promoted version.
_REFRESH_S = 2.0


def build(
    settings: Settings,
    states: StateStore,
    queue: TrainQueue,
    store: Store,
    timers: Sequence[Timer] = (),
) -> Parts:
    """Returns the parts of a web server; it loads models in the background once it runs."""
    service = Service(states=states, queue=queue, store=store)
    registry = Registry(store, load_model, capacity=settings.loaded_versions)
    metrics = Metrics(service, registry.versions)
    inference = Inference(
        registry, deadline_s=settings.predict_deadline_s, timed=metrics.predicting
    )
    return Parts(
        service=service,
        inference=inference,
        metrics=metrics,
        secret=settings.secret(),
        basic_auth=settings.basic_auth,
        open_metrics=settings.open_metrics,
        background=[every(_REFRESH_S, registry.refresh), *timers],
    )


def load_model(folder: Path) -> Model:
    """Returns a trained model that has read a first text; the first call imports torch."""
    from xlt.models.predictor import Predictor

    model = Predictor.load(folder, threads=1)
    model.predict([Example(id="", texts=("the first text takes longest",))])
    return model
