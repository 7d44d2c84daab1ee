"""Registry of the models in memory; all requests of a process share one copy of a version."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from xlt.errors import XltError
from xlt.store.versions import Store

if TYPE_CHECKING:
    from xlt.data.examples import Example
    from xlt.tasks.outputs import Scores
    from xlt.tasks.predictions import Predictions
    from xlt.tasks.task import AnyTask

logger = logging.getLogger(__name__)

#: Seconds until `refresh` retries a version that could not be loaded.
_RETRY_S = 60.0


class Model(Protocol):
    """The part of `xlt.models.predictor.Predictor` that serving uses."""

    @property
    def task(self) -> AnyTask:
        """The task that it predicts."""

    def predict(self, examples: Sequence[Example]) -> Predictions:
        """Predicts examples, in their order."""

    def score(self, examples: Sequence[Example]) -> Scores:
        """Returns the outputs and the vectors of examples."""


Load = Callable[[Path], Model]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A version in memory.

    Attributes:
        version: Its name.
        model: The model.
    """

    version: str
    model: Model


class Registry:
    """The active versions of the projects that were requested last; thread-safe."""

    def __init__(
        self,
        store: Store,
        load: Load,
        *,
        capacity: int,
        memo_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._load = load
        self._capacity = capacity
        self._memo_s = memo_s
        self._clock = clock
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()
        self._current: dict[str, tuple[float, str | None]] = {}
        self._failed: dict[str, tuple[float, str | None]] = {}
        self._lock = threading.Lock()
        self._loading = threading.Lock()

    def get(self, key: str) -> Loaded | None:
        """Returns the active version of a project, loaded; None if it has none yet.

        While `refresh` loads a newer version, the previous one is returned. A version that cannot
        be loaded leaves the previous one in use.

        Raises:
            XltError: If the version cannot be loaded and none is in memory.
        """
        with self._lock:
            loaded = self._loaded.get(key)
            if loaded is not None:
                self._loaded.move_to_end(key)
                return loaded
        return self._ensure_loaded(key)

    def refresh(self) -> None:
        """Loads active versions ahead of the requests for them.

        Replaces the versions in memory that are no longer active, then loads other projects until
        the capacity is reached.

        Raises:
            StoreError: If the store cannot be read.
        """
        names = self._store.projects()
        with self._lock:
            keys = list(self._loaded)
        for key in keys:
            self._refresh(key)
        room = self._capacity - len(keys)
        for key in names:
            if room <= 0:
                return
            if key not in keys:
                room -= self._refresh(key)

    def _refresh(self, key: str) -> bool:
        """Loads the active version of a project; returns whether it is in memory."""
        version = None
        try:
            version = self._version(key)
            failed_at, failed = self._failed.get(key, (float("-inf"), None))
            if version == failed and self._clock() - failed_at < _RETRY_S:
                return False
            return self._ensure_loaded(key) is not None
        except XltError as error:
            self._failed[key] = (self._clock(), version)
            logger.error("%s: %s; the version in memory stays in use", key, error)
            return False

    def versions(self) -> dict[str, str]:
        """Returns the version in memory by project key."""
        with self._lock:
            return {key: loaded.version for key, loaded in self._loaded.items()}

    def _ensure_loaded(self, key: str) -> Loaded | None:
        """Returns the active version; loads it first if it is not in memory."""
        version = self._version(key)
        with self._loading:  # one at a time: two threads that need the same version load it once
            with self._lock:
                loaded = self._loaded.get(key)
            if version is None or (loaded is not None and loaded.version == version):
                return loaded
            loaded = self._load_from_store(key, version)
            with self._lock:
                self._loaded[key] = loaded
                self._loaded.move_to_end(key)
                while len(self._loaded) > self._capacity:
                    unloaded, _ = self._loaded.popitem(last=False)
                    logger.info("%s: unloaded to make room for other projects", unloaded)
            return loaded

    def _version(self, key: str) -> str | None:
        read_at, version = self._current.get(key, (float("-inf"), None))
        if self._clock() - read_at >= self._memo_s:
            version = self._store.project(key).current()
            self._current[key] = (self._clock(), version)
        return version

    def _load_from_store(self, key: str, version: str) -> Loaded:
        start = time.monotonic()
        versions = self._store.project(key)
        loaded = Loaded(
            version=version,
            model=self._load(versions.open(version)),
        )
        logger.info("%s: loaded %s in %.1f s", key, version, time.monotonic() - start)
        return loaded
