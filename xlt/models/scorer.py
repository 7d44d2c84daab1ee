"""Scores of a frozen model, which loads its encoder only for texts that are not known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlt.data.examples import Example
from xlt.disk.blobs import Blobs
from xlt.models.features import FeatureReader, load_to_read
from xlt.models.frozen import FrozenFolder, read_frozen
from xlt.models.model import Model, Progress, silent
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores


class FrozenScorer(Model):
    """Scores examples by a frozen model and what is kept of their texts.

    Args:
        folder: What the model's folder holds.
        calibration: Calibration of the model's outputs.
        reader: Reads texts by its encoder.
    """

    def __init__(
        self, folder: FrozenFolder, calibration: Calibration, reader: FeatureReader
    ) -> None:
        super().__init__(folder.task, calibration, texts=folder.texts)
        self._model = folder.model
        self._reader = reader

    @classmethod
    def load(cls, folder: Path, *, cache: Blobs | None = None) -> FrozenScorer:
        """Reads a model that `train` wrote, without its encoder.

        Args:
            folder: The model's folder.
            cache: Keeps what encoders say of texts.

        Raises:
            EncoderError: If it does not hold a complete frozen model that names its encoder.
            DataError: If its calibration cannot be read.
        """
        read = read_frozen(folder)
        reader = FeatureReader(
            lambda: load_to_read(str(folder.resolve()), read.config.precision),
            identity=read.encoder,
            max_length=read.config.max_length,
            precision=read.config.precision,
            cache=cache,
        )
        return cls(read, Calibration.load(folder), reader)

    def score(self, examples: Sequence[Example], *, progress: Progress = silent) -> Scores:
        """Scores examples, in their order. See `Model.score`."""
        self.check(examples)
        if not examples:
            width = self._model.size
            none = np.zeros((0, self.task.width), np.float32)
            return Scores(outputs=Outputs(none), vectors=np.zeros((0, width), np.float32))
        features = self._reader.read([example.input for example in examples], progress)
        outputs = self._model.outputs(features, [example.lang for example in examples])
        return Scores(outputs=outputs, vectors=features.vectors[:, -1])
