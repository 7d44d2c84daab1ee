"""Loads models to serve: by ONNX Runtime if their export answers as they do, or by torch."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from xlt.encoder.exported import Encoders
from xlt.errors import EncoderError
from xlt.models.exported import ExportedModel
from xlt.models.model import Model

logger = logging.getLogger(__name__)

#: The decision, beside the model.
FILE = "serving.json"

#: ONNX Runtime with weights of eight or of 32 bits, or torch.
Runtime = Literal["int8", "float32", "torch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """The runtime of a model, and the reason for it.

    Attributes:
        runtime: What runs it.
        reason: Why, in a line.
    """

    runtime: Runtime
    reason: str

    def write(self, folder: Path) -> None:
        """Writes the decision into a model's folder."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1)
        (folder / FILE).write_text(text, "utf-8")


def read_serving(folder: Path) -> Serving:
    """Reads the decision for a model; without one, torch runs it."""
    try:
        value = json.loads((folder / FILE).read_text("utf-8"))
        return Serving(runtime=value["runtime"], reason=str(value["reason"]))
    except FileNotFoundError:
        return Serving(runtime="torch", reason="it was saved without an export; train again")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Serving(runtime="torch", reason=f"its {FILE} cannot be read: {error!r}")


def load_served(folder: Path, encoders: Encoders) -> tuple[Model, Serving]:
    """Loads a model to be served on the CPU; imports torch only if that runs it.

    Args:
        folder: The model's folder.
        encoders: The exported encoders in memory.

    Raises:
        EncoderError: If the folder does not hold a complete model.
        DataError: If its calibration cannot be read.
    """
    serving = read_serving(folder)
    if serving.runtime != "torch":
        try:
            return ExportedModel.load(folder, encoders), serving
        except EncoderError as error:
            logger.error("%s; torch runs it", error)
            serving = Serving(runtime="torch", reason=str(error))
    from xlt.models.predictor import Predictor

    return Predictor.load(folder, threads=1), serving
