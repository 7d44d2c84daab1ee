"""A trained model whose encoder was exported: ONNX Runtime and numpy run it, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.disk.rows import read_tensors
from xlt.encoder.exported import Encoders, ExportedEncoder
from xlt.encoder.together import apart, combine_layers, combined_width
from xlt.errors import EncoderError, XltError
from xlt.frozen.several import Frozen, check_fit, frozen_from
from xlt.models.folder import HEAD, SETTINGS, WEIGHTS, read_task, read_texts
from xlt.models.linear import LinearModel, LinearModels, linear_from
from xlt.models.model import Model, Progress, frozen_outputs, silent
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Scores
from xlt.tasks.probes import has_probe
from xlt.tasks.task import AnyTask


class ExportedModel(Model):
    """A trained model that ONNX Runtime runs on the CPU."""

    def __init__(
        self,
        encoder: ExportedEncoder,
        head: LinearModel | LinearModels | Frozen,
        task: AnyTask,
        calibration: Calibration,
        *,
        texts: int,
    ) -> None:
        super().__init__(task, calibration, texts=texts)
        self._encoder = encoder
        self._head = head

    @classmethod
    def load(cls, folder: Path, encoders: Encoders) -> ExportedModel:
        """Loads a model whose encoder was exported.

        Args:
            folder: The model's folder.
            encoders: The exported encoders in memory.

        Raises:
            EncoderError: If the folder does not hold a complete model with an exported encoder.
            DataError: If its calibration cannot be read.
        """
        task, texts = read_task(folder), read_texts(folder)
        try:
            config = TrainConfig.from_toml(folder / SETTINGS)
            tensors = read_tensors(folder / WEIGHTS, HEAD)
            encoder = encoders.load(folder, max_length=config.max_length)
            width = combined_width(encoder.width, texts)
            head: Frozen | LinearModel | LinearModels
            if config.learner == "frozen" and has_probe(task):
                head = frozen_from(tensors, task)
                check_fit(head, task, width=width, layers=encoder.layers)
            else:
                head = linear_from(tensors, task, width=width)
        except EncoderError:
            raise
        except (OSError, XltError) as error:
            raise EncoderError(f"no complete exported model in {folder}: {error}") from error
        return cls(encoder, head, task, Calibration.load(folder), texts=texts)

    def score(self, examples: Sequence[Example], *, progress: Progress = silent) -> Scores:
        """Scores examples; each distinct text is read once. See `Model.score`."""
        self.check(examples)
        each, _ = apart([example.input for example in examples])
        places = {text: place for place, text in enumerate(dict.fromkeys(each))}
        read = self._encoder.vectors(
            list(places),
            lambda done, total: progress(done * len(examples) // total, len(examples)),
        )
        rows = read[np.array([places[text] for text in each], dtype=np.intp)]
        vectors = combine_layers(rows.reshape(-1, self.texts, *read.shape[1:]))
        if isinstance(self._head, Frozen):
            outputs = frozen_outputs(self._head, vectors, examples)
        else:
            outputs = self._head.outputs(vectors[:, -1])
        return Scores(outputs=outputs, vectors=vectors[:, -1])
