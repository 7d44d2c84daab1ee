"""Reads texts by an exported encoder: with ONNX Runtime, tokenizers and numpy, without torch.

`xlt.encoder.export` makes the files. They lie in a model's folder, whose tokenizer and input
embeddings they use: the embeddings are most of a multilingual encoder, and stay in their file until
a row is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from xlt.disk.rows import Rows
from xlt.encoder.tokens import TextTokenizer, TokenIds, budget_batches
from xlt.errors import EncoderError

#: The graph from input embeddings to mean vectors, and what else is needed to run it.
GRAPH, NOTE = "encoder.onnx", "encoder.onnx.json"

#: Inputs of the graph: (B, T, E) float32 and (B, T) int64, 1 for a token, 0 for padding.
INPUTS = ("inputs_embeds", "attention_mask")

_FORMAT = 1
#: Tokens of a batch: larger ones are no faster on a CPU, and take more memory.
_BATCH_TOKENS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportNote:
    """What is known of an exported encoder beside its graph.

    Attributes:
        table: Name of the input embeddings in the file of the weights.
        pad_id: Id of the padding token.
        longest: Tokens of the longest input.
        layers: Number L of layers of which there is a vector, the final one last.
        width: Length H of a vector.
    """

    table: str
    pad_id: int
    longest: int
    layers: int
    width: int

    def write(self, folder: Path) -> None:
        """Writes the note beside the graph."""
        value = {"format": _FORMAT, **asdict(self)}
        (folder / NOTE).write_text(json.dumps(value, indent=1), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> ExportNote:
        """Reads what `write` wrote.

        Raises:
            EncoderError: If there is none, or one of another format.
        """
        try:
            value = json.loads((folder / NOTE).read_text("utf-8"))
            if value.pop("format") != _FORMAT:
                raise ValueError("another version of xlt wrote it")
            return cls(**value)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EncoderError(f"no exported encoder in {folder}: {error!r}") from error


class ExportedEncoder:
    """An encoder that ONNX Runtime runs on the CPU; threads may share it.

    Args:
        folder: Folder of the model; has the graph, its note, the weights and the tokenizer.
        max_length: Texts are truncated to this number of tokens, or earlier if the encoder must.
        threads: CPU threads of one pass.

    Raises:
        EncoderError: If the folder does not hold a complete exported encoder.
    """

    def __init__(self, folder: Path, *, max_length: int, threads: int = 1) -> None:
        note = ExportNote.read(folder)
        self._rows = Rows(folder / "model.safetensors", note.table)
        try:
            backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = session(folder / GRAPH, threads)
        except Exception as error:  # both packages raise bare exceptions
            raise EncoderError(f"cannot load the exported encoder in {folder}: {error}") from error
        self.tokenize = TextTokenizer(backend, min(max_length, note.longest))
        self._pad_id = note.pad_id
        self._shape = note.layers, note.width

    def vectors(
        self,
        texts: Sequence[str],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> NDArray[np.float32]:
        """Returns the mean over the tokens of each layer, (N, L, H), the final one last.

        Args:
            texts: N texts; may be empty.
            progress: Called with the number of texts done and N, after every batch.
        """
        tokens = [row.ids for row in self.tokenize(texts)]
        vectors = np.zeros((len(texts), *self._shape), dtype=np.float32)
        done = 0
        for rows in budget_batches([len(ids) for ids in tokens], _BATCH_TOKENS):
            own = [tokens[row] for row in rows]
            if len(own[0]):  # the longest; a text without any token keeps zeros
                vectors[rows] = self._run(own)
            done += len(rows)
            progress(done, len(texts))
        return vectors

    def _run(self, rows: Sequence[TokenIds]) -> NDArray[np.float32]:
        ids = np.full((len(rows), len(rows[0])), self._pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, own in enumerate(rows):
            ids[row, : len(own)] = own
            mask[row, : len(own)] = 1
        inputs = dict(zip(INPUTS, (self._rows(ids), mask), strict=True))
        vectors: NDArray[np.float32] = self._session.run(None, inputs)[0]
        return vectors


def session(path: Path, threads: int) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """Returns ONNX Runtime's session of a graph, on the CPU."""
    import onnxruntime  # type: ignore[import-untyped]  # no stubs

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Without an arena, memory is given back after the longest text.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
