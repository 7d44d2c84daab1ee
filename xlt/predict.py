"""One pass over texts with a trained model: logits and sentence vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from xlt.schema import TaskSpec
from xlt.scores import Scores


class Predictor:
    """A trained model, loaded once; `score` may be called from several threads at a time."""

    task: TaskSpec

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> Predictor:
        """Load what `train` wrote.

        Args:
            folder: The model's folder.
            threads: CPU threads of this process for one forward pass; None: torch's choice.

        Raises:
            EncoderError: If the folder does not hold a whole model.
        """
        raise NotImplementedError

    def score(
        self,
        texts: Sequence[str],
        *,
        batch_tokens: int = 4096,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Scores:
        """Logits and vectors of texts, in their order; n texts give n rows, none gives none.

        Args:
            texts: N texts.
            batch_tokens: Padded tokens per forward pass.
            progress: Called with the number of texts done and N, after every batch.
        """
        raise NotImplementedError
