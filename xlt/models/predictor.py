"""Predictor: a trained model with its calibration, from examples to predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, each_batch, store_for_reading
from xlt.encoder.pooling import apart, combine, mean_pool
from xlt.encoder.tokens import Input
from xlt.errors import DataError
from xlt.frozen.model import FrozenModel
from xlt.models.artifact import load_model, read_texts
from xlt.tasks.calibration import Calibration
from xlt.tasks.heads import Head
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import Predictions, interpret
from xlt.tasks.task import AnyTask


def _silent(done: int, total: int) -> None:
    """Reports nothing."""


class Predictor:
    """A trained model, loaded once; several threads may use it at the same time.

    Attributes:
        task: Task of the model.
        texts: Number of texts of an example.
        calibration: Calibration of the model's outputs.
        tokenize: Turns texts into token ids.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: Head | FrozenModel,
        task: AnyTask,
        calibration: Calibration,
        *,
        max_length: int,
        texts: int = 1,
    ) -> None:
        self.task = task
        self.texts = texts
        self.calibration = calibration
        self._body = encoder.model
        self._head = head
        self._pad_id = encoder.pad_id
        self._width = encoder.width
        self.tokenize = encoder.text_tokenizer(max_length)
        self._device = next(encoder.model.parameters()).device
        self._dtype = encoder.forward_dtype(self._device, "auto")
        store_for_reading(encoder.model, self._dtype)

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> Predictor:
        """Loads a model that `train` wrote, onto a GPU if there is one.

        Args:
            folder: The model's folder.
            threads: CPU threads of this process for one forward pass; None for torch's default.

        Raises:
            EncoderError: If the folder does not hold a complete model.
            DataError: If its calibration cannot be read.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        encoder, head, task, config = load_model(Path(folder))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        encoder.model.to(device)  # type: ignore[arg-type]
        calibration = Calibration.load(Path(folder))
        if not isinstance(head, FrozenModel):
            head.to(device)
        return cls(
            encoder,
            head,
            task,
            calibration,
            max_length=config.max_length,
            texts=read_texts(Path(folder)),
        )

    def predict(
        self,
        examples: Sequence[Example],
        *,
        measure: str | None = None,
        progress: Callable[[int, int], None] = _silent,
    ) -> Predictions:
        """Predicts examples, in their order; answers are ignored.

        Args:
            examples: N examples; may be empty.
            measure: Uncertainty measure; None for the task's default.
            progress: Called with the number of examples done and N, after every batch.
        """
        scores = self.score(examples, progress=progress)
        langs = [example.lang for example in examples]
        return interpret(self.task, scores, langs, self.calibration, measure=measure)

    def score(
        self,
        examples: Sequence[Example],
        *,
        batch_tokens: int = 2048,
        progress: Callable[[int, int], None] = _silent,
    ) -> Scores:
        """Scores examples in one pass, in their order.

        Args:
            examples: N examples; may be empty.
            batch_tokens: Padded tokens per forward pass.
            progress: Called with the number of examples done and N, after every batch.

        Raises:
            DataError: If an example has another number of texts than the model reads.
        """
        for example in examples:
            if len(example.texts) != self.texts:
                raise DataError(
                    f"example {example.id!r} has {len(example.texts)} texts; the model reads "
                    f"{self.texts}"
                )
        inputs = [example.input for example in examples]
        if self.texts == 1 or not (isinstance(self._head, FrozenModel) or self._head.apart):
            scores = self._read(inputs, batch_tokens, progress)
        else:
            scores = self._read_apart(inputs, batch_tokens, progress)
        if isinstance(self._head, FrozenModel):
            langs = [example.lang for example in examples]
            return replace(scores, outputs=self._head.outputs(scores.vectors, langs))
        return scores

    def _read(
        self, inputs: Sequence[Input], batch_tokens: int, progress: Callable[[int, int], None]
    ) -> Scores:
        """Reads each input as one sequence; a frozen model has no outputs yet."""
        tokens = self.tokenize(inputs)
        logits = torch.zeros(len(tokens), self.task.width)
        vectors = torch.zeros(len(tokens), self._width)
        done = 0
        for rows, states, mask in each_batch(
            self._body, tokens, self._pad_id, batch_tokens=batch_tokens, dtype=self._dtype
        ):
            with torch.inference_mode():
                if not isinstance(self._head, FrozenModel):
                    logits[rows] = self._head(states, mask).cpu()
                vectors[rows] = mean_pool(states, mask).cpu()
            done += len(rows)
            progress(done, len(tokens))
        return Scores(outputs=Outputs(logits.numpy()), vectors=vectors.numpy())

    def _read_apart(
        self, inputs: Sequence[Input], batch_tokens: int, progress: Callable[[int, int], None]
    ) -> Scores:
        """Reads each distinct text once; progress is counted in examples."""
        each, _ = apart(inputs)
        distinct = {text: row for row, text in enumerate(dict.fromkeys(each))}
        tokens = self.tokenize(list(distinct))
        vectors = torch.zeros(len(tokens), self._width)
        done = 0
        for rows, states, mask in each_batch(
            self._body, tokens, self._pad_id, batch_tokens=batch_tokens, dtype=self._dtype
        ):
            with torch.inference_mode():
                vectors[rows] = mean_pool(states, mask).cpu()
            done += len(rows)
            progress(done * len(inputs) // len(tokens), len(inputs))
        vectors = vectors[[distinct[text] for text in each]]
        logits = torch.zeros(len(inputs), self.task.width)
        if not isinstance(self._head, FrozenModel) and len(inputs):
            with torch.inference_mode():
                logits = self._head.of_vectors(vectors.to(self._device)).cpu()
        combined = combine(vectors.view(-1, self.texts, self._width))
        return Scores(outputs=Outputs(logits.numpy()), vectors=combined.numpy())
