"""Export of a trained model, which the web server runs; it is compared with the model first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xlt.data.jsonl import read_jsonl
from xlt.data.splits import drawn_evenly
from xlt_backend.trainer import folder as files

if TYPE_CHECKING:
    from xlt.data.examples import Example
    from xlt.models.model import Model
    from xlt.models.serving import Serving

#: Largest number of texts that the answers are compared on.
_TEXTS = 200


def export(
    folder: Path,
    plan: files.TrainPlan,
    audit: Sequence[Example],
    scorer: Model,
) -> Serving:
    """Exports the model that was trained in a folder; returns what will run it, and why.

    Its answers are compared on audit and pool texts of all languages. A frozen model uses the
    export of the former version if their encoder is the same.

    Args:
        folder: The folder of the training.
        plan: The folder's plan.
        audit: The audit examples.
        scorer: Scores examples by the model.
    """
    from xlt.models.export import export_model

    texts = [*audit, *read_jsonl(folder / files.POOL)]
    rows = drawn_evenly([text.lang for text in texts], _TEXTS, np.random.default_rng(0))
    sample = [texts[row] for row in rows]
    return export_model(
        folder / files.MODEL, sample, scorer.score(sample), ready=_ready(folder, plan)
    )


def _ready(folder: Path, plan: files.TrainPlan) -> Path | None:
    """Returns the former version if it has an export of the same encoder in eight bits."""
    from xlt.models.frozen import encoder_of
    from xlt.models.serving import read_serving

    if plan.sibling is None:
        return None
    sibling, encoder = Path(plan.sibling), encoder_of(folder / files.MODEL)
    same = encoder != "" and encoder_of(sibling) == encoder
    return sibling if same and read_serving(sibling).runtime == "int8" else None
