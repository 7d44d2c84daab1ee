"""Features of texts by an encoder that is not trained: each text is read once, and kept."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.config import TrainConfig
from xlt.disk.blobs import Blobs
from xlt.disk.fingerprints import fingerprint
from xlt.encoder.locations import encoder_fingerprint
from xlt.encoder.together import apart, combine_layers
from xlt.frozen.features import Features
from xlt.frozen.ngrams import count_ngrams

if TYPE_CHECKING:
    from xlt.encoder.encoder import Encoder
    from xlt.encoder.tokens import Input

#: Goes up when the same encoder gives other vectors, or when they are kept otherwise.
_FORMAT = 1
#: Layers, width, bytes of a number, and whether the encoder ran in bfloat16.
_HEADER = struct.Struct("<HHB?")
#: New texts that are kept together: those before are not read again if the process is killed.
_CHUNK = 512


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """The vectors of a text by an encoder.

    Attributes:
        vectors: (L, H) of its layers.
        low: Whether it ran in bfloat16.
    """

    vectors: NDArray[np.float32]
    low: bool


class FeatureReader:
    """Reads texts by an encoder, which is loaded when the first text is not known yet.

    Vectors have the 16 bits with which they are kept, whether they were kept or not.

    Args:
        load: Loads the encoder, onto the device that it runs on.
        identity: Digest of the encoder's files; vectors of another encoder are not used.
        max_length: Texts are truncated to this number of tokens.
        precision: auto, bf16 or fp32.
        batch_tokens: Padded tokens per forward pass.
        cache: Keeps what the encoder says; None to keep nothing.

    Attributes:
        identity: Digest of the encoder's files.
    """

    def __init__(
        self,
        load: Callable[[], Encoder],
        *,
        identity: str = "",
        max_length: int = 128,
        precision: str = "auto",
        batch_tokens: int = 2048,
        cache: Blobs | None = None,
    ) -> None:
        self.identity = identity
        self._load = load
        self._max_length = max_length
        self._precision = precision
        self._batch_tokens = batch_tokens
        self._cache = cache
        read_by = [_FORMAT, identity, max_length, precision]
        read_by += [version(package) for package in ("torch", "transformers")]
        self._reader = fingerprint(read_by).encode()
        self._low = False

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, loaded."""
        return self._load()

    @property
    def precision(self) -> str:
        """Returns the precision in which the encoder ran, "bf16" or "fp32"."""
        return "bf16" if self._low else "fp32"

    def read(
        self,
        texts: Sequence[Input],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Features:
        """Reads texts, see `vectors`, and counts their n-grams."""
        return Features(vectors=self.vectors(texts, progress), ngrams=count_ngrams(texts))

    def vectors(
        self,
        texts: Sequence[Input],
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> NDArray[np.float32]:
        """Returns vectors of texts by the encoder's upper layers; reads those that are not known.

        Args:
            texts: N texts, or N times K texts that belong together and are read apart; may be
                empty.
            progress: Called with the number of texts done and N, before the first batch and after
                each.

        Returns:
            (N, L, H), the mean over the tokens of each layer in `Encoder.upper_layers`, and of the
            final layer; (N, L, D) of K texts, see `xlt.encoder.together.combined`.
        """
        each, together = apart(texts)
        distinct = list(dict.fromkeys(each))
        read = self._kept(distinct)
        # Texts of like length are read together, which pads them least.
        new = sorted((text for text in distinct if text not in read), key=len)
        progress(0, len(texts))
        for start in range(0, len(new), _CHUNK):
            known = len(read)

            def done(count: int, _: int, known: int = known) -> None:
                progress((known + count) * len(texts) // len(distinct), len(texts))

            read |= self._new(new[start : start + _CHUNK], done)
        if not distinct:
            return np.zeros((0, *self._read_now([], progress)[0].shape[1:]), np.float32)
        self._low = self._low or any(one.low for one in read.values())
        places = {text: row for row, text in enumerate(distinct)}
        vectors = np.stack([read[text].vectors for text in distinct])
        rows = vectors[[places[text] for text in each]]
        return combine_layers(rows.reshape(-1, together, *vectors.shape[1:]))

    def known_vectors(self, texts: Sequence[Input]) -> NDArray[np.float32] | None:
        """Returns what `vectors` returns, without the encoder; None if a text is not known.

        Args:
            texts: N >= 1 texts, or N times K texts that belong together.
        """
        each, _ = apart(texts)
        known = len(self._kept(list(dict.fromkeys(each)))) == len(set(each))
        return self.vectors(texts) if known else None

    def _kept(self, texts: Sequence[str]) -> dict[str, _Read]:
        """Returns what is kept of texts."""
        if self._cache is None:
            return {}
        keys = {text: self._key(text) for text in texts}
        found = self._cache.get(list(keys.values()))
        read = {text: _unpacked(found.get(key)) for text, key in keys.items()}
        return {text: one for text, one in read.items() if one is not None}

    def _new(self, texts: Sequence[str], progress: Callable[[int, int], None]) -> dict[str, _Read]:
        """Reads texts, and keeps what the encoder says of them."""
        vectors, low = self._read_now(texts, progress)
        read = {
            text: _Read(vectors=_rounded(own), low=low)
            for text, own in zip(texts, vectors, strict=True)
        }
        if self._cache is not None:
            values = {text: one for text, one in read.items() if np.isfinite(one.vectors).all()}
            self._cache.put({self._key(text): _packed(one) for text, one in values.items()})
        return read

    def _read_now(
        self, texts: Sequence[str], progress: Callable[[int, int], None]
    ) -> tuple[NDArray[np.float32], bool]:
        """Returns vectors (N, L, H) of texts, and whether the encoder ran in bfloat16."""
        import torch

        from xlt.encoder.reading import read_apart

        encoder = self.encoder
        dtype = encoder.forward_dtype(encoder.model.device, self._precision)
        read = read_apart(
            encoder.model,
            encoder.text_tokenizer(self._max_length),
            texts,
            encoder.pad_id,
            batch_tokens=self._batch_tokens,
            dtype=dtype,
            layers=encoder.upper_layers,
            progress=progress,
        )
        return read[:, 0], dtype == torch.bfloat16

    def _key(self, text: str) -> bytes:
        content = text.encode(errors="surrogatepass")
        return blake2b(content, digest_size=16, key=self._reader).digest()


def base_reader(
    config: TrainConfig, cache: Blobs | None = None, *, to_save: bool = False
) -> FeatureReader:
    """Returns a reader by the encoder that models are trained from.

    Args:
        config: Names the encoder, and how it reads.
        cache: Keeps what it says.
        to_save: The encoder will be saved with a model.

    Raises:
        EncoderError: If there is no such encoder.
    """

    def load() -> Encoder:
        if not to_save:
            return load_to_read(config.encoder, config.precision)
        from xlt.encoder.encoder import load_encoder

        return _on_device(load_encoder(config.encoder))

    return FeatureReader(
        load,
        identity=encoder_fingerprint(config.encoder),
        max_length=config.max_length,
        precision=config.precision,
        cache=cache,
    )


def load_to_read(name: str, precision: str = "auto") -> Encoder:
    """Loads an encoder that will be neither trained nor saved, onto a GPU if there is one.

    Args:
        name: See `xlt.encoder.encoder.load_encoder`.
        precision: The precision that it will run in.

    Raises:
        EncoderError: If it does not exist or cannot be loaded.
    """
    from xlt.encoder.encoder import load_encoder, store_for_reading

    encoder = _on_device(load_encoder(name, to_read=True))
    store_for_reading(encoder.model, encoder.forward_dtype(encoder.model.device, precision))
    return encoder


def _on_device(encoder: Encoder) -> Encoder:
    import torch

    encoder.model.to("cuda" if torch.cuda.is_available() else "cpu")  # type: ignore[arg-type]
    return encoder


def _rounded(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns vectors with the 16 bits that are kept; with all bits if they do not fit in these."""
    narrow = _narrow(vectors)
    return vectors if narrow is None else narrow.astype(np.float32)


def _narrow(vectors: NDArray[np.float32]) -> NDArray[np.float16] | None:
    with np.errstate(over="ignore"):
        narrow = vectors.astype(np.float16)
    return narrow if np.isfinite(narrow).all() else None


def _packed(read: _Read) -> bytes:
    narrow = _narrow(read.vectors)
    values: NDArray[np.floating] = read.vectors if narrow is None else narrow
    layers, width = values.shape
    return _HEADER.pack(layers, width, values.itemsize, read.low) + values.tobytes()


def _unpacked(value: bytes | None) -> _Read | None:
    if value is None:
        return None
    layers, width, size, low = _HEADER.unpack_from(value)
    dtype = np.float16 if size == np.dtype(np.float16).itemsize else np.float32
    vectors = np.frombuffer(value, dtype, offset=_HEADER.size).reshape(layers, width)
    return _Read(vectors=vectors.astype(np.float32), low=low)
