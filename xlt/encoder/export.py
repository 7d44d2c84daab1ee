"""Exports an encoder to ONNX: from input embeddings to the mean vectors of its layers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from xlt.encoder.encoder import Encoder
from xlt.encoder.exported import GRAPH, INPUTS, ExportNote, session
from xlt.encoder.pooling import mean_pool
from xlt.errors import EncoderError

_OPSET = 17
#: Largest difference to torch that rounding in float32 explains, for vectors of length about 1.
_ROUNDING = 1e-3
#: Tokens of the longest text that is compared.
_LONG = 600


class _Means(nn.Module):
    """The graph: input embeddings (B, T, E) and attention mask (B, T) to vectors (B, L, H)."""

    def __init__(self, body: PreTrainedModel, layers: Sequence[int]) -> None:
        super().__init__()
        self.body = body
        self.layers = layers

    def forward(self, inputs_embeds: Tensor, attention_mask: Tensor) -> Tensor:
        read = self.body(
            inputs_embeds=inputs_embeds, attention_mask=attention_mask, output_hidden_states=True
        )
        states = [*(read.hidden_states[layer] for layer in self.layers), read.last_hidden_state]
        return torch.stack([mean_pool(each, attention_mask) for each in states], dim=1)


def export(encoder: Encoder, layers: Sequence[int], folder: Path) -> None:
    """Writes the graph in float32, and its note.

    The tracing exporter takes 0.7 s for the bundled encoder; that of `torch.export` takes 14. It
    writes down what it sees of one batch, so that batches of other shapes are compared.

    Args:
        encoder: The encoder in float32.
        layers: Numbers of further layers whose vectors are wanted, from 0 for the embeddings.
        folder: An existing folder.

    Raises:
        EncoderError: If the encoder cannot be exported; with the reason.
    """
    body = encoder.model
    table = body.get_input_embeddings()
    if type(table) is not nn.Embedding:
        raise EncoderError(
            f"{encoder.name!r} cannot be exported: its input embeddings are "
            f"{type(table).__name__}, expected Embedding"
        )
    name = next(name for name, module in body.named_modules() if module is table)
    means = _Means(body, layers).eval()
    rng = torch.Generator().manual_seed(0)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                means,
                _batch(encoder, 2, 7, rng),
                folder / GRAPH,
                dynamo=False,
                input_names=list(INPUTS),
                output_names=["vectors"],
                dynamic_axes={name: {0: "B", 1: "T"} for name in INPUTS},
                opset_version=_OPSET,
            )
    except Exception as error:  # whatever the exporter stumbles over
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EncoderError(f"{encoder.name!r} cannot be exported: {reason}") from error
    ExportNote(
        table=f"{name}.weight",
        digest=sha256(table.weight.detach().numpy().tobytes()).hexdigest(),
        pad_id=encoder.pad_id,
        longest=encoder.max_length,
        layers=len(layers) + 1,
        width=encoder.width,
    ).write(folder)
    for rows, tokens in ((1, 3), (3, 1), (2, min(encoder.max_length, _LONG))):
        _compare(means, folder, _batch(encoder, rows, tokens, rng), encoder.name)


def _batch(encoder: Encoder, rows: int, tokens: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns input embeddings and mask of random texts, all but the first with padding."""
    ids = torch.randint(encoder.n_tokens, (rows, tokens), generator=rng)
    mask = torch.ones(rows, tokens, dtype=torch.int64)
    mask[1:, tokens // 2 + 1 :] = 0
    with torch.inference_mode():
        return encoder.model.get_input_embeddings()(ids).clone(), mask


def _compare(means: nn.Module, folder: Path, batch: tuple[Tensor, Tensor], name: str) -> None:
    """Compares the graph with the encoder on a batch.

    Raises:
        EncoderError: If they differ by more than rounding.
    """
    with torch.inference_mode():
        expected = means(*batch).numpy()
    inputs = dict(zip(INPUTS, (part.numpy() for part in batch), strict=True))
    (found,) = session(folder / GRAPH, threads=1).run(None, inputs)
    gap = float(np.abs(found - expected).max()) / max(float(np.abs(expected).max()), 1.0)
    if not gap <= _ROUNDING:
        shape = tuple(batch[1].shape)
        raise EncoderError(
            f"{name!r} cannot be exported: the graph differs by {gap:.2g} for a batch of {shape}"
        )


def quantize(source: Path, target: Path) -> None:
    """Copies an exported encoder with weights of eight bits, a scale for each output of a layer.

    Activations are brought to eight bits while it runs, so that no texts are needed here.

    Args:
        source: Folder of an encoder exported in float32.
        target: Another existing folder.

    Raises:
        EncoderError: If it cannot be quantized; with the reason.
    """
    import onnx
    from onnxruntime import quantization  # type: ignore[import-untyped]  # no stubs

    try:
        model = onnx.load(source / GRAPH)
        quantization.quant_utils.add_pre_process_metadata(
            model
        )  # fusing layers first is for convolutions
        quantization.quantize_dynamic(
            model,
            target / GRAPH,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
        )
    except Exception as error:  # whatever the quantizer stumbles over
        raise EncoderError(f"the exported encoder cannot be quantized: {error}") from error
    ExportNote.read(source).write(target)
