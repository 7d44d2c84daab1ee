"""Reads texts by an exported encoder: with ONNX Runtime, tokenizers and numpy, without torch.

`xlt.encoder.export` makes the files. They lie in a model's folder, whose tokenizer and input
embeddings they use: the embeddings are most of a multilingual encoder, and stay in their file until
a row is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from xlt.disk.fingerprints import fingerprint_of_file
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
    """Facts about an exported encoder beside its graph.

    Attributes:
        table: Name of the input embeddings in the file of the weights.
        digest: Digest of the input embeddings.
        pad_id: Id of the padding token.
        longest: Tokens of the longest input.
        layers: Number L of layers of which there is a vector, the final one last.
        width: Length H of a vector.
    """

    table: str
    digest: str
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
        session: ONNX Runtime's session of the graph.
        rows: The input embeddings.
        tokenize: Texts to token ids.
        note: What else is known of it.

    Attributes:
        layers: Number L of layers of which there is a vector.
        width: Length H of a vector.
    """

    def __init__(
        self,
        session: Any,  # noqa: ANN401 - onnxruntime has no types
        rows: Rows,
        tokenize: TextTokenizer,
        note: ExportNote,
    ) -> None:
        self._session = session
        self._rows = rows
        self._tokenize = tokenize
        self._pad_id = note.pad_id
        self.layers = note.layers
        self.width = note.width

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
        tokens = [row.ids for row in self._tokenize(texts)]
        vectors = np.zeros((len(texts), self.layers, self.width), dtype=np.float32)
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


class Encoders:
    """The exported encoders in memory; models with the same encoder, or tokenizer, share it.

    Args:
        threads: CPU threads of one pass.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._threads = threads
        self._lock = Lock()
        self._encoders: WeakValueDictionary[Hashable, ExportedEncoder] = WeakValueDictionary()
        self._tokenizers: WeakValueDictionary[Hashable, TextTokenizer] = WeakValueDictionary()

    def load(self, folder: Path, *, max_length: int) -> ExportedEncoder:
        """Returns the encoder of a model, loaded unless it is in memory.

        Args:
            folder: Folder of the model; has the graph, its note, the weights and the tokenizer.
            max_length: Texts are truncated to this number of tokens, or earlier if the encoder
                must.

        Raises:
            EncoderError: If the folder does not hold a complete exported encoder.
        """
        note = ExportNote.read(folder)
        try:
            with self._lock:
                tokenize = self._tokenizer(folder, min(max_length, note.longest))
                name = fingerprint_of_file(folder / GRAPH), note, tokenize
                encoder = self._encoders.get(name)
                if encoder is None:
                    rows = Rows(folder / "model.safetensors", note.table)
                    started = session(folder / GRAPH, self._threads)
                    encoder = ExportedEncoder(started, rows, tokenize, note)
                    self._encoders[name] = encoder
                return encoder
        except EncoderError:
            raise
        except Exception as error:  # tokenizers and onnxruntime raise bare exceptions
            raise EncoderError(f"cannot load the exported encoder in {folder}: {error}") from error

    def _tokenizer(self, folder: Path, max_length: int) -> TextTokenizer:
        path = folder / "tokenizer.json"
        name = fingerprint_of_file(path), max_length
        tokenize = self._tokenizers.get(name)
        if tokenize is None:
            tokenize = TextTokenizer(Tokenizer.from_file(str(path)), max_length)
            self._tokenizers[name] = tokenize
        return tokenize


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
