"""Loaded models, shared by all requests of a process: each version is loaded once."""

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
from xlt_backend.rounds import versions as versionfiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xlt.data.examples import TaskSpec
    from xlt.tasks.calibration import Calibration
    from xlt.tasks.outputs import Scores

logger = logging.getLogger(__name__)

#: Seconds until a version that could not be loaded is tried again without being asked for.
_RETRY_S = 60.0


class Model(Protocol):
    """What is needed of a loaded model; see `xlt.models.predictor.Predictor`."""

    task: TaskSpec

    def score(self, texts: Sequence[str]) -> Scores:
        """Logits and vectors of texts, in their order."""


Load = Callable[[Path], Model]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A version in memory.

    Attributes:
        version: Its name.
        model: Gives logits.
        calibration: Makes probabilities of them.
    """

    version: str
    model: Model
    calibration: Calibration

    def probabilities(self, texts: Sequence[str], langs: Sequence[str]) -> NDArray[np.float64]:
        """Calibrated class probabilities (N, C) of N texts in N languages."""
        return self.calibration.apply(self.model.score(texts).logits, langs)


class Registry:
    """The loaded versions of the projects asked for last; safe with several threads."""

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
        """The active version of a project, loaded; None where it has none yet.

        While a newer version is being loaded by `refresh` the one in memory is given. A version
        that cannot be loaded leaves the one in memory in use.

        Raises:
            XltError: If it cannot be loaded and none is in memory.
        """
        with self._lock:
            found = self._loaded.get(key)
            if found is not None:
                self._loaded.move_to_end(key)
                return found
        return self._bring(key)

    def refresh(self) -> None:
        """Loads active versions before anybody asks for them.

        Of the projects in memory where they changed; of others as long as there is room.

        Raises:
            StoreError: If the store cannot be read.
        """
        names = self._store.projects()
        with self._lock:
            keys = list(self._loaded)
        for key in keys:
            self._refreshed(key)
        room = self._capacity - len(keys)
        for key in names:
            if room <= 0:
                return
            if key not in keys:
                room -= self._refreshed(key)

    def _refreshed(self, key: str) -> bool:
        """Whether the active version of the project is in memory now."""
        version = None
        try:
            version = self._version(key)
            failed_at, failed = self._failed.get(key, (float("-inf"), None))
            if version == failed and self._clock() - failed_at < _RETRY_S:
                return False
            return self._bring(key) is not None
        except XltError as error:
            self._failed[key] = (self._clock(), version)
            logger.error("%s: %s; what is in memory stays in use", key, error)
            return False

    def versions(self) -> dict[str, str]:
        """Project key -> version in memory."""
        with self._lock:
            return {key: loaded.version for key, loaded in self._loaded.items()}

    def _bring(self, key: str) -> Loaded | None:
        """The active version, loaded now if it is not in memory."""
        version = self._version(key)
        with self._loading:  # one at a time: two threads asking cold load it once
            with self._lock:
                found = self._loaded.get(key)
            if version is None or (found is not None and found.version == version):
                return found
            loaded = self._loaded_from_store(key, version)
            with self._lock:
                self._loaded[key] = loaded
                self._loaded.move_to_end(key)
                while len(self._loaded) > self._capacity:
                    gone, _ = self._loaded.popitem(last=False)
                    logger.info("%s: unloaded, others were asked for since", gone)
            return loaded

    def _version(self, key: str) -> str | None:
        at, version = self._current.get(key, (float("-inf"), None))
        if self._clock() - at >= self._memo_s:
            version = self._store.project(key).current()
            self._current[key] = (self._clock(), version)
        return version

    def _loaded_from_store(self, key: str, version: str) -> Loaded:
        begin = time.monotonic()
        versions = self._store.project(key)
        loaded = Loaded(
            version=version,
            model=self._load(versions.open(version)),
            calibration=versionfiles.calibration(versions, version),
        )
        logger.info("%s: loaded %s in %.1f s", key, version, time.monotonic() - begin)
        return loaded
