"""Exports fine-tuned models for programs that do not know xlt: to ONNX, or for transformers."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, load_encoder
from xlt.encoder.exported import session
from xlt.errors import EncoderError
from xlt.models import modeling_xlt
from xlt.models.artifact import load_model
from xlt.models.folder import SETTINGS, make_folder, read_task, read_texts
from xlt.models.modeling_xlt import XltForSequenceClassification
from xlt.models.parity import MOST_CHANGED
from xlt.models.predictor import Predictor
from xlt.tasks.linear_head import LinearHead
from xlt.tasks.parts import Composed
from xlt.tasks.swaps import swap_of

Format = Literal["onnx", "huggingface"]

#: The graph from token ids and attention mask, (B, T) int64, to logits (B, W).
GRAPH = "model.onnx"
_OPSET = 17
#: Largest difference of logits that rounding in float32 explains, as a share of the largest logit,
#: at least of 1.
MOST_GAP = 1e-3
_TEXTS, _WORDS = 64, 24
_BATCH = 16
#: Files of xlt that the folder keeps, for people: the task, how it was trained, its calibration.
_KEPT = ("task.json", SETTINGS, "calibration.json", "README.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """The comparison of an export with the model.

    Attributes:
        texts: Number of texts that both answered.
        gap: Largest difference of logits, as a share of the largest logit, at least of 1.
        changed: Number of texts whose largest logit is another one.
    """

    texts: int
    gap: float
    changed: int

    def words(self) -> str:
        """Returns the measurements in a line."""
        return (
            f"logits differ by at most {self.gap:.2g} on {self.texts} texts, "
            f"{self.changed} with another first label"
        )


def export_standalone(
    folder: Path, out: Path, form: Format, examples: Sequence[Example] = ()
) -> Handover:
    """Writes a model as a folder that needs no xlt, once it answers as the model does.

    Logits are those before calibration; `calibration.json` has the temperatures.

    Args:
        folder: The model's folder.
        out: The new folder; it appears whole or not at all.
        form: `onnx` for a graph, `huggingface` for what `transformers` loads.
        examples: Texts to compare on, beside texts of random tokens.

    Returns:
        How well both agree.

    Raises:
        EncoderError: If the folder holds no complete model, if the format cannot express it, or if
            the export answers otherwise.
        StoreError: If the folder cannot be written.
    """
    _check_expressible(folder, form)
    encoder = load_encoder(str(folder.resolve()))
    texts = [example.text for example in examples] + _random_texts(encoder)
    rows = [Example(id=str(row), texts=(text,)) for row, text in enumerate(texts)]
    expected = Predictor.load(folder, precision="fp32").score(rows).outputs.values
    length = min(TrainConfig.from_toml(folder / SETTINGS).max_length, encoder.max_length)
    handovers: list[Handover] = []

    def fill(place: Path) -> None:
        model = _whole(folder, encoder)
        encoder.tokenizer.model_max_length = length
        encoder.tokenizer.save_pretrained(place)
        write = _write_graph if form == "onnx" else _write_transformers
        answer = write(model, place)
        for name in _KEPT:
            if (folder / name).exists():
                shutil.copyfile(folder / name, place / name)
        handovers.append(_compared(place, texts, expected, answer))

    make_folder(out, fill)
    return handovers[0]


_Answer = Callable[[Tensor, Tensor], NDArray[np.float32]]


def _check_expressible(folder: Path, form: Format) -> None:
    task, texts = read_task(folder), read_texts(folder)
    reason = ""
    if TrainConfig.from_toml(folder / SETTINGS).learner == "frozen":
        reason = (
            "it is a frozen model, whose answers come from several layers, character n-grams and "
            "the language of a text by a kernel machine, not by a layer on the encoder"
        )
    elif texts > 1:
        reason = f"it reads {texts} texts at once"
    elif isinstance(task, Composed):
        reason = "it answers several controls at once"
    elif swap_of(task) is not None or task.link is None:
        reason = f"it is of the kind {task.kind}, which has no layer on the vector of a text"
    if reason:
        raise EncoderError(
            f"{folder.name} cannot be exported as {form}: {reason}; `xlt predict` runs it"
        )


def _whole(folder: Path, encoder: Encoder) -> XltForSequenceClassification:
    """Returns encoder and head as one module; centre and scale are folded into the layer."""
    _, head, task, _ = load_model(folder)
    if not isinstance(head, LinearHead):
        raise EncoderError(f"{folder.name} cannot be exported: it has no linear layer")
    config = encoder.model.config
    config.num_labels = task.width
    if len(task.labels) == task.width:
        config.id2label = dict(enumerate(task.labels))
        config.label2id = {label: number for number, label in enumerate(task.labels)}
    model = XltForSequenceClassification(config)
    model.model = encoder.model
    weight = head.linear.weight.float() / head.scale
    with torch.no_grad():
        model.classifier.weight.copy_(weight)
        model.classifier.bias.copy_(head.linear.bias.float() - weight @ head.center)
    model.train(False)
    return model


def _write_transformers(model: XltForSequenceClassification, place: Path) -> _Answer:
    name = Path(modeling_xlt.__file__).name
    model.save_pretrained(place)
    shutil.copyfile(modeling_xlt.__file__, place / name)
    path = place / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["architectures"] = [XltForSequenceClassification.__name__]
    config["auto_map"] = {
        "AutoModelForSequenceClassification": f"{Path(name).stem}.{config['architectures'][0]}"
    }
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2), "utf-8")
    loaded = AutoModelForSequenceClassification.from_pretrained(
        place, trust_remote_code=True
    ).eval()

    def answer(ids: Tensor, mask: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            logits: NDArray[np.float32] = loaded(input_ids=ids, attention_mask=mask).logits.numpy()
        return logits

    return answer


class _Logits(nn.Module):
    """The graph: token ids and attention mask (B, T) to logits (B, W)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


def _write_graph(model: XltForSequenceClassification, place: Path) -> _Answer:
    names = ["input_ids", "attention_mask"]
    batch = (torch.ones(2, 7, dtype=torch.int64), torch.ones(2, 7, dtype=torch.int64))
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                _Logits(model).eval(),
                batch,
                place / GRAPH,
                dynamo=False,
                input_names=names,
                output_names=["logits"],
                dynamic_axes={name: {0: "B", 1: "T"} for name in names},
                opset_version=_OPSET,
            )
    except Exception as error:  # whatever the exporter stumbles over
        raise EncoderError(f"the encoder cannot be exported to ONNX: {error}") from error
    running = session(place / GRAPH, threads=1)

    def answer(ids: Tensor, mask: Tensor) -> NDArray[np.float32]:
        (logits,) = running.run(None, dict(zip(names, (ids.numpy(), mask.numpy()), strict=True)))
        return np.asarray(logits, dtype=np.float32)

    return answer


def _compared(
    place: Path, texts: Sequence[str], expected: NDArray[np.float32], answer: _Answer
) -> Handover:
    """Compares the export with the model, with the tokenizer of the export.

    Raises:
        EncoderError: If they answer otherwise.
    """
    tokenizer: Any = AutoTokenizer.from_pretrained(place)
    parts = []
    for start in range(0, len(texts), _BATCH):
        read = tokenizer(
            list(texts[start : start + _BATCH]), truncation=True, padding=True, return_tensors="pt"
        )
        parts.append(answer(read["input_ids"], read["attention_mask"]))
    found = np.concatenate(parts)
    gap = float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max()))
    changed = int((found.argmax(axis=1) != expected.argmax(axis=1)).sum())
    handover = Handover(texts=len(texts), gap=gap, changed=changed)
    if not gap <= MOST_GAP or changed > MOST_CHANGED * len(texts):
        raise EncoderError(
            f"the export answers otherwise than the model and is not kept: {handover.words()}"
        )
    return handover


def _random_texts(encoder: Encoder) -> list[str]:
    """Returns texts of random tokens, some longer than the encoder reads; the same each time."""
    rng = np.random.default_rng(0)
    words = rng.integers(1, _WORDS, size=_TEXTS)
    words[-2:] = encoder.max_length + 10
    texts = (
        str(encoder.tokenizer.decode(rng.integers(encoder.n_tokens, size=int(count)).tolist()))
        for count in words
    )
    return [text.strip() or "." for text in texts]
