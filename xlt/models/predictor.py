"""A trained model that torch runs, on the CPU or on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, store_for_reading
from xlt.encoder.pooling import mean_pool
from xlt.encoder.reading import each_batch, read_apart
from xlt.encoder.together import combine_layers
from xlt.encoder.tokens import Input
from xlt.frozen.several import Frozen
from xlt.models.artifact import load_model
from xlt.models.folder import read_texts
from xlt.models.model import Model, Progress, frozen_outputs, silent
from xlt.tasks.calibration import Calibration
from xlt.tasks.heads import Head
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.task import AnyTask


class Predictor(Model):
    """A trained model that torch runs.

    Attributes:
        tokenize: Turns texts into token ids.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: Head | Frozen,
        task: AnyTask,
        calibration: Calibration,
        *,
        max_length: int,
        texts: int = 1,
        precision: str = "auto",
    ) -> None:
        super().__init__(task, calibration, texts=texts)
        self._body = encoder.model
        self._head = head
        self._pad_id = encoder.pad_id
        self._width = encoder.width
        several = isinstance(head, Frozen) and head.layers > 1
        self._layers = encoder.upper_layers if several else ()
        self.tokenize = encoder.text_tokenizer(max_length)
        self._tokenize_words = encoder.word_tokenizer(max_length)
        self._device = next(encoder.model.parameters()).device
        self._dtype = encoder.forward_dtype(self._device, precision)
        store_for_reading(encoder.model, self._dtype)

    @classmethod
    def load(
        cls, folder: Path, *, threads: int | None = None, precision: str = "auto"
    ) -> Predictor:
        """Loads a model that `train` wrote, onto a GPU if there is one.

        Args:
            folder: The model's folder.
            threads: CPU threads of this process for one forward pass; None for torch's default.
            precision: Precision of matrix products: auto, bf16 or fp32.

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
        if not isinstance(head, Frozen):
            head.to(device)
        return cls(
            encoder,
            head,
            task,
            calibration,
            max_length=config.max_length,
            texts=read_texts(Path(folder)),
            precision=precision,
        )

    def score(
        self,
        examples: Sequence[Example],
        *,
        batch_tokens: int = 2048,
        progress: Progress = silent,
    ) -> Scores:
        """Scores examples in one pass, in their order.

        Args:
            examples: N examples; may be empty.
            batch_tokens: Padded tokens per forward pass.
            progress: Called with the number of examples done and N, after every batch.

        Raises:
            DataError: If an example has another number of texts than the model reads.
        """
        self.check(examples)
        if not isinstance(self._head, Frozen) and self._head.reads_words:
            texts = [example.input for example in examples]
            return self._words_scored(texts, self._head, batch_tokens, progress)
        if self.texts == 1 or not (isinstance(self._head, Frozen) or self._head.apart):
            return self._read(examples, batch_tokens, progress)
        return self._read_apart(examples, batch_tokens, progress)

    def _read(self, examples: Sequence[Example], batch_tokens: int, progress: Progress) -> Scores:
        """Reads each example as one sequence."""
        logits = np.zeros((len(examples), self.task.width), dtype=np.float32)
        vectors = np.zeros((len(examples), self._width), dtype=np.float32)
        done = 0
        for rows, states, batch in each_batch(
            self._body,
            self.tokenize([example.input for example in examples]),
            self._pad_id,
            batch_tokens=batch_tokens,
            dtype=self._dtype,
            layers=self._layers,
        ):
            with torch.inference_mode():
                pooled = mean_pool(states, batch.attention_mask).cpu().numpy()
                if not isinstance(self._head, Frozen):
                    logits[rows] = self._head(states, batch.attention_mask).cpu().numpy()
            if isinstance(self._head, Frozen):
                layers = pooled.reshape(len(rows), self._head.layers, -1)
                own = [examples[row] for row in rows]
                logits[rows] = frozen_outputs(self._head, layers, own).values
            vectors[rows] = pooled[:, -self._width :]
            done += len(rows)
            progress(done, len(examples))
        return Scores(outputs=Outputs(logits), vectors=vectors)

    def _read_apart(
        self, examples: Sequence[Example], batch_tokens: int, progress: Progress
    ) -> Scores:
        """Reads each distinct text once; progress is counted in examples."""
        read = read_apart(
            self._body,
            self.tokenize,
            [example.input for example in examples],
            self._pad_id,
            batch_tokens=batch_tokens,
            dtype=self._dtype,
            layers=self._layers,
            progress=progress,
        )
        combined = combine_layers(read)
        if isinstance(self._head, Frozen):
            logits = frozen_outputs(self._head, combined, examples).values
        else:
            with torch.inference_mode():
                each = torch.from_numpy(read.reshape(-1, self._width))
                logits = self._head.of_vectors(each.to(self._device)).cpu().numpy()
        return Scores(outputs=Outputs(logits), vectors=combined[:, -1])

    def _words_scored(
        self,
        texts: Sequence[Input],
        head: Head,
        batch_tokens: int,
        progress: Progress,
    ) -> Scores:
        """Scores the words of whole texts, window by window."""
        windows = self._tokenize_words(texts)
        tokens = [window for own in windows for window in own]
        text_of = np.repeat(np.arange(len(windows)), [len(own) for own in windows])
        logits: list[NDArray[np.float32]] = [np.zeros((0, self.task.width), np.float32)] * len(
            tokens
        )
        vectors = np.zeros((len(texts), self._width), np.float32)
        left = np.bincount(text_of, minlength=len(texts))
        for rows, states, batch in each_batch(
            self._body,
            tokens,
            self._pad_id,
            batch_tokens=batch_tokens,
            dtype=self._dtype,
            added=head.added,
        ):
            with torch.inference_mode():
                each = head(states, batch.attention_mask, batch.words).cpu().numpy()
                means = mean_pool(states, batch.attention_mask).cpu().numpy()
            for place, row in enumerate(rows):
                own = tokens[row].words
                logits[row] = each[place, : 0 if own is None else len(own)]
                vectors[text_of[row]] += means[place] / len(windows[text_of[row]])
                left[text_of[row]] -= 1
            progress(int((left == 0).sum()), len(texts))
        where = [window.words.where for window in tokens if window.words is not None]
        lengths = np.zeros(len(texts), np.int64)
        np.add.at(lengths, text_of, [len(row) for row in logits])
        return Scores(
            outputs=Outputs(
                np.concatenate([np.zeros((0, self.task.width), np.float32), *logits]),
                np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
                np.concatenate([np.zeros((0, 2), np.int64), *where]),
            ),
            vectors=vectors,
        )
