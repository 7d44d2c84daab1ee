"""Context of a round: the project's options, interface, versions and workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.store.versions import ProjectStore
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.adaptation import Record
from xlt_backend.rounds.steering import Steering
from xlt_backend.trainer.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Context:
    """The facts about a project that a round works with.

    Attributes:
        key: The project's name in the store; the salt of its random keys.
        options: Its options.
        interface: Its labelling interface.
        config: Hyper-parameters.
        base: The encoder before any adaptation.
        record: The record of its adaptation.
        versions: Its models.
        workspace: The folder in which they are made.
        steering: What people set for it.
        forced: Number of trainings requested by hand before the round started.
    """

    key: str
    options: ProjectOptions
    interface: Interface
    config: dict[str, Any]
    base: str
    record: Record
    versions: ProjectStore
    workspace: Workspace
    steering: Steering = field(default_factory=Steering)
    forced: int = 0

    def vectors(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Returns vectors (N, D) by an encoder that was not trained on the project's labels."""
        return self.workspace.scores(None, None, examples).rows(examples).vectors
