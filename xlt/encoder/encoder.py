"""Loads any Hugging Face encoder, or the bundled one, and computes vectors with it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as hf_logging

from xlt.encoder.dtypes import keep_table_as_stored
from xlt.encoder.locations import bundled as bundled  # `xlt.encoder.encoder.bundled()` is promised
from xlt.encoder.locations import resolve
from xlt.encoder.masked_lm import TrainedMlmHead, load_with_head
from xlt.encoder.reading import longest_input, read_apart
from xlt.encoder.together import combine_layers
from xlt.encoder.tokens import Input, TextTokenizer
from xlt.encoder.windows import WordTokenizer
from xlt.errors import EncoderError

_log = logging.getLogger(__name__)

#: Architectures whose attention overflows in half precision (DeBERTa issue 77, transformers
#: pull request 24116, AutoGluon pull request 5139): they run in float32 everywhere.
_FLOAT32_ONLY = frozenset({"deberta", "deberta-v2"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoder:
    """A pre-trained encoder.

    Attributes:
        name: The name or folder that it was loaded by.
        model: The body: token ids in, hidden states (B, T, H) out.
        tokenizer: Texts to token ids.
        mlm: The checkpoint's trained masked-LM head; None if it was not asked for or has none.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    mlm: TrainedMlmHead | None = None

    @property
    def width(self) -> int:
        """Returns the length H of a hidden state and of a sentence vector."""
        return int(self.model.config.hidden_size)

    @property
    def embedding_width(self) -> int:
        """Returns the length of an input embedding, which some encoders project to H."""
        table = self.model.get_input_embeddings()
        return int(getattr(table, "embedding_dim", self.width))

    @property
    def n_layers(self) -> int:
        """Returns the number of transformer layers."""
        return int(self.model.config.num_hidden_layers)

    @property
    def upper_layers(self) -> tuple[int, ...]:
        """Returns up to three layers below the final one, evenly from the middle upwards."""
        sixths = (round(self.n_layers * sixth / 6) for sixth in (3, 4, 5))
        return tuple(sorted({layer for layer in sixths if 0 < layer < self.n_layers}))

    @property
    def n_tokens(self) -> int:
        """Returns the number of tokens that both the tokenizer and the embeddings know."""
        table = self.model.get_input_embeddings()
        known = len(self.tokenizer)
        return min(known, table.num_embeddings) if isinstance(table, nn.Embedding) else known

    @property
    def pad_id(self) -> int:
        """Returns the id of the padding token."""
        return int(self.tokenizer.pad_token_id or 0)

    @property
    def mask_id(self) -> int:
        """Returns the id of the mask token.

        Raises:
            EncoderError: If the tokenizer has none.
        """
        if self.tokenizer.mask_token_id is None:
            raise EncoderError(
                f"{self.name!r} has no mask token: set mlm_weight and tlm_weight to 0"
            )
        return int(self.tokenizer.mask_token_id)

    @property
    def max_length(self) -> int:
        """Returns the length of the longest input, in tokens."""
        return longest_input(self.model)

    def text_tokenizer(self, max_length: int) -> TextTokenizer:
        """Returns a tokenizer that truncates at `max_length`, or earlier if the encoder must."""
        return TextTokenizer(
            self.tokenizer.backend_tokenizer,
            min(max_length, self.max_length),
            with_types="token_type_ids" in self.tokenizer.model_input_names,
        )

    def word_tokenizer(self, max_length: int) -> WordTokenizer:
        """Returns a tokenizer that reads whole texts, in windows of at most `max_length`."""
        return WordTokenizer(self.tokenizer, min(max_length, self.max_length))

    def forward_dtype(self, device: torch.device, precision: str) -> torch.dtype:
        """Returns the type of matrix products: bfloat16 if it is asked for or fast, and safe.

        Otherwise it is float32.

        Args:
            device: Device that the encoder runs on.
            precision: auto, bf16 or fp32.
        """
        if precision == "fp32":
            return torch.float32
        if self.model.config.model_type in _FLOAT32_ONLY:
            if precision == "bf16":
                _log.warning("%s overflows in half precision: running in float32", self.name)
            return torch.float32
        fast = precision == "bf16" or fast_bf16(device)
        return torch.bfloat16 if fast else torch.float32


def fast_bf16(device: torch.device) -> bool:
    """Returns True if a device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type not in ("cpu", "cuda"):
        return False
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    query = getattr(torch.cpu, "get_capabilities", None)  # torch >= 2.7
    capabilities: dict[str, object] = query() if query is not None else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def load_encoder(
    name: str = "bundled", *, with_mlm: bool = False, to_read: bool = False
) -> Encoder:
    """Loads an encoder in float32, in evaluation mode.

    Args:
        name: "bundled", a folder, or a Hub name.
        with_mlm: Loads its masked-LM head as well, if the checkpoint has one.
        to_read: Promises that it will not be trained, which saves memory; see
            `xlt.encoder.dtypes.keep_table_as_stored`.

    Raises:
        EncoderError: If it does not exist or cannot be loaded.
    """
    place = resolve(name)
    try:
        with _quiet():
            mlm = load_with_head(place) if with_mlm else None
            body = mlm[0] if mlm else AutoModel.from_pretrained(place, dtype=torch.float32)
            if to_read:
                keep_table_as_stored(body, place)
            tokenizer = AutoTokenizer.from_pretrained(place)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise EncoderError(f"cannot load the encoder {name!r}: {reason}") from error
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise EncoderError(f"the tokenizer of {name!r} has no fast form (tokenizer.json)")
    without_pooler(body)
    return Encoder(name=name, model=body.eval(), tokenizer=tokenizer, mlm=mlm[1] if mlm else None)


def store_for_reading(body: PreTrainedModel, dtype: torch.dtype) -> None:
    """Converts the weights of linear layers, in place, to the type of their matrix products.

    Autocast would convert them on every call, which costs as much as reading one sentence. The
    model's outputs stay the same, bit for bit, but it can no longer be trained well.

    Args:
        body: The encoder's body.
        dtype: The type that `Encoder.forward_dtype` returns.
    """
    for module in body.modules():
        if isinstance(module, nn.Linear):
            module.to(dtype)


def without_pooler(body: PreTrainedModel) -> None:
    """Removes the pooler: its output is not used, and its weights are often random."""
    if getattr(body, "pooler", None) is not None:
        body.register_module("pooler", None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Hugging Face's load reports and progress bars off standard error."""
    verbosity = hf_logging.get_verbosity()
    bars = hf_logging.is_progress_bar_enabled()
    hf_logging.set_verbosity(logging.ERROR)
    hf_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        hf_logging.set_verbosity(verbosity)
        if bars:
            hf_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def embed(
    texts: Sequence[Input],
    *,
    encoder: str | Encoder = "bundled",
    max_length: int = 128,
    batch_tokens: int = 2048,
    precision: str = "auto",
) -> NDArray[np.float32]:
    """Computes sentence vectors: the mean over the tokens of the final layer.

    Texts that belong together are read apart: as one sequence they say little of how they relate
    to an encoder that was not trained on pairs (docs/results/pairs.md).

    Args:
        texts: N texts, or N times K texts that belong together; may be empty.
        encoder: A name that `load_encoder` takes, or a loaded encoder. A name is loaded at each
            call, the bundled encoder in less than a second.
        max_length: Texts are truncated to this number of tokens.
        batch_tokens: Padded tokens per forward pass.
        precision: auto, bf16 or fp32.

    Returns:
        (N, H) float32, row i for text i; (N, `combined_width(H, K)`) of K texts, see
        `xlt.encoder.together.combined`.

    Raises:
        DataError: If the number of texts that belong together varies.
        EncoderError: If the encoder cannot be loaded.
    """
    loaded = load_encoder(encoder, to_read=True) if isinstance(encoder, str) else encoder
    dtype = loaded.forward_dtype(loaded.model.device, precision)
    if isinstance(encoder, str):
        store_for_reading(loaded.model, dtype)
    read = read_apart(
        loaded.model,
        loaded.text_tokenizer(max_length),
        texts,
        loaded.pad_id,
        batch_tokens=batch_tokens,
        dtype=dtype,
    )
    return combine_layers(read)[:, 0]
