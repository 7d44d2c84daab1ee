"""Exports a trained model, and decides by its answers whether the export may be served."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.exported import GRAPH, NOTE, Encoders
from xlt.errors import EncoderError
from xlt.models.exported import ExportedModel
from xlt.models.folder import SETTINGS, read_task
from xlt.models.parity import Parity, compare
from xlt.models.serving import Runtime, Serving
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Scores
from xlt.tasks.predictions import interpret
from xlt.tasks.probes import has_probe


def export_model(
    folder: Path, examples: Sequence[Example], scores: Scores, *, ready: Path | None = None
) -> Serving:
    """Exports a model into its folder, in the narrowest type that answers as the model does.

    Args:
        folder: The model's folder.
        examples: Texts to compare the answers on; without any, torch runs the model.
        scores: The model's scores of them.
        ready: Folder with the export of the same encoder, in eight bits; None to make it.

    Returns:
        What runs the model, and why; also written into the folder.

    Raises:
        EncoderError: If the folder does not hold a complete model.
        DataError: If its calibration cannot be read.
    """
    if has_probe(read_task(folder)):
        serving = _compared(folder, examples, scores, ready)
    else:
        serving = Serving(runtime="torch", reason="it reads texts word by word")
    if serving.runtime == "torch":
        _remove(folder)
    serving.write(folder)
    return serving


def _compared(
    folder: Path, examples: Sequence[Example], scores: Scores, ready: Path | None
) -> Serving:
    reasons = []
    with TemporaryDirectory(prefix="xlt-export-") as work:
        try:
            for runtime, exported in _exports(folder, Path(work), ready):
                for name in (GRAPH, NOTE):
                    shutil.copyfile(exported / name, folder / name)
                parity = _parity(folder, examples, scores)
                reasons.append(f"{runtime}: {parity.words()}")
                if parity.accepted:
                    return Serving(runtime=runtime, reason="; ".join(reasons))
        except (OSError, EncoderError) as error:
            reasons.append(str(error))
    return Serving(runtime="torch", reason="; ".join(reasons))


def _exports(folder: Path, work: Path, ready: Path | None) -> Iterator[tuple[Runtime, Path]]:
    """Makes exports one by one; yields what runs each, and its folder."""
    if ready is not None:
        yield "int8", ready
    # A ready export needs no torch, whose import takes longer than the rest of a training.
    from xlt.encoder.encoder import load_encoder
    from xlt.encoder.export import export, quantize

    wide, narrow = work / "float32", work / "int8"
    for place in (wide, narrow):
        place.mkdir()
    encoder = load_encoder(str(folder.resolve()))
    frozen = TrainConfig.from_toml(folder / SETTINGS).learner == "frozen"
    export(encoder, encoder.upper_layers if frozen else (), wide)
    if ready is None:
        quantize(wide, narrow)
        yield "int8", narrow
    yield "float32", wide


def _parity(folder: Path, examples: Sequence[Example], scores: Scores) -> Parity:
    model = ExportedModel.load(folder, Encoders())
    langs = [example.lang for example in examples]
    expected = interpret(model.task, scores, langs, Calibration.load(folder))
    return compare(model.task, examples, expected, model.predict(examples))


def _remove(folder: Path) -> None:
    for name in (GRAPH, NOTE):
        (folder / name).unlink(missing_ok=True)
