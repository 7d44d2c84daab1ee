"""One pass over texts with a trained model: logits and sentence vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from xlt.data.examples import TaskSpec
from xlt.encoder.encoder import Encoder, each_batch, store_for_reading
from xlt.encoder.pooling import mean_pool
from xlt.models.artifact import load_model
from xlt.tasks.outputs import Scores
from xlt.tasks.single_label.head import Head


class Predictor:
    """A trained model, loaded once; `score` may be called from several threads at a time.

    Attributes:
        task: The label set that the columns of the logits stand for.
        tokenize: Texts to token ids, as the model reads them.
    """

    def __init__(self, encoder: Encoder, head: Head, task: TaskSpec, *, max_length: int) -> None:
        self.task = task
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
        """Load what `train` wrote, onto a GPU where there is one.

        Args:
            folder: The model's folder.
            threads: CPU threads of this process for one forward pass; None: torch's choice.

        Raises:
            EncoderError: If the folder does not hold a whole model.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        encoder, head, task, config = load_model(Path(folder))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        encoder.model.to(device)  # type: ignore[arg-type]
        return cls(encoder, head.to(device), task, max_length=config.max_length)

    def score(
        self,
        texts: Sequence[str],
        *,
        batch_tokens: int = 2048,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Scores:
        """Logits and vectors of texts, in their order; n texts give n rows, none gives none.

        Args:
            texts: N texts.
            batch_tokens: Padded tokens per forward pass.
            progress: Called with the number of texts done and N, after every batch.
        """
        tokens = self.tokenize(texts)
        logits = torch.zeros(len(texts), len(self.task.labels))
        vectors = torch.zeros(len(texts), self._width)
        done = 0
        for rows, states, mask in each_batch(
            self._body, tokens, self._pad_id, batch_tokens=batch_tokens, dtype=self._dtype
        ):
            with torch.inference_mode():
                logits[rows] = self._head(states, mask).cpu()
                vectors[rows] = mean_pool(states, mask).cpu()
            done += len(rows)
            progress(done, len(texts))
        return Scores(logits=logits.numpy(), vectors=vectors.numpy())
