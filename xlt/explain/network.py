"""A model's logits of one text, as a differentiable function of its embeddings and n-grams."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder
from xlt.encoder.pooling import mean_pool
from xlt.encoder.tokens import copied
from xlt.errors import ConfigError
from xlt.frozen.model import FrozenModel
from xlt.frozen.ngrams import count_ngrams, tf_idf
from xlt.models.artifact import load_model
from xlt.models.folder import read_task, read_texts
from xlt.tasks.calibration import Calibration
from xlt.tasks.task import AnyTask

#: Kinds whose labels have one output each.
KINDS = ("single_label", "multi_label")
_LEAST_LENGTH = 1e-6  # of `xlt.frozen.centres`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadText:
    """A text as a network reads it.

    Attributes:
        inputs: Keyword arguments of the encoder's body without the token ids, (1, T) each.
        embeddings: (T, E) of its tokens.
        moving: (T,) True for tokens of the text, False for special ones.
        offsets: (T, 2) first code point of each token, and the one behind its last.
        columns: (G,) columns of its n-grams; empty if the model does not read them.
        ngrams: (G, W) logits that each column adds.
        lang: Language code.
    """

    inputs: dict[str, Tensor]
    embeddings: Tensor
    moving: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    columns: NDArray[np.int64]
    ngrams: Tensor
    lang: str


class Network:
    """A model of single or multi labels for one text, in float32 on the CPU.

    Attributes:
        task: Task of the model.
        calibration: Calibration of its outputs.
    """

    def __init__(
        self,
        encoder: Encoder,
        head: object,
        task: AnyTask,
        calibration: Calibration,
        *,
        max_length: int,
    ) -> None:
        self.task = task
        self.calibration = calibration
        self._body = encoder.model.requires_grad_(False)
        self._head = head
        self._tokenizer: Tokenizer = copied(encoder.tokenizer.backend_tokenizer)
        self._tokenizer.enable_truncation(min(max_length, encoder.max_length))
        self._with_types = "token_type_ids" in encoder.tokenizer.model_input_names
        self._layers = encoder.upper_layers
        mask_id = encoder.tokenizer.mask_token_id
        self._rest = torch.tensor([encoder.pad_id if mask_id is None else mask_id])

    @classmethod
    def load(cls, folder: Path) -> Network:
        """Loads a model that `train` wrote.

        Raises:
            ConfigError: If its answers are not single or multi labels of one text.
            EncoderError: If the folder does not hold a complete model.
            DataError: If its calibration cannot be read.
        """
        kind, texts = read_task(folder).kind, read_texts(folder)
        if kind not in KINDS or texts > 1:
            what = f"answers of the kind {kind}" + (f" about {texts} texts" if texts > 1 else "")
            raise ConfigError(f"integrated gradients do not explain {what}: occlusion does")
        encoder, head, task, config = load_model(folder)
        calibration = Calibration.load(folder)
        return cls(encoder, head, task, calibration, max_length=config.max_length)

    def read(self, example: Example) -> ReadText:
        """Tokenises an example of one text, and counts its n-grams."""
        encoding = self._tokenizer.encode(example.text)
        ids = torch.tensor([encoding.ids])
        inputs = {"attention_mask": torch.ones_like(ids)}
        if self._with_types:
            inputs["token_type_ids"] = torch.tensor([encoding.type_ids])
        with torch.inference_mode():
            embeddings = self._body.get_input_embeddings()(ids)[0]
        columns, ngrams = self._ngrams(example.text)
        return ReadText(
            inputs=inputs,
            embeddings=embeddings.clone(),
            moving=np.array(encoding.special_tokens_mask) == 0,
            offsets=np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2),
            columns=columns,
            ngrams=ngrams,
            lang=example.lang,
        )

    def baseline(self, text: ReadText) -> Tensor:
        """Returns embeddings (T, E) without the text: those of the mask token, or of padding."""
        with torch.inference_mode():
            rest = self._body.get_input_embeddings()(self._rest)
        moving = torch.from_numpy(text.moving)[:, None]
        return torch.where(moving, rest, text.embeddings).clone()

    def logits(self, text: ReadText, embeddings: Tensor, ngrams: Tensor) -> Tensor:
        """Returns logits (S, W) of variants of a text.

        Args:
            text: The text.
            embeddings: (S, T, E) of its tokens.
            ngrams: (S, W) logits that its n-grams add, 0 for models that do not read them.
        """
        count = len(embeddings)
        inputs = {name: value.expand(count, -1) for name, value in text.inputs.items()}
        frozen = isinstance(self._head, FrozenModel)
        read = self._body(inputs_embeds=embeddings, output_hidden_states=frozen, **inputs)
        mask = inputs["attention_mask"]
        if not isinstance(self._head, FrozenModel):
            return self._head(read.last_hidden_state, mask) + ngrams  # type: ignore[operator,no-any-return]
        states = [*(read.hidden_states[layer] for layer in self._layers), read.last_hidden_state]
        pooled = [mean_pool(each, mask) for each in states[-self._head.layers :]]
        vectors = torch.stack(pooled, dim=1)  # (S, L, H)
        return frozen_logits(self._head, vectors, text.lang) + ngrams

    def _ngrams(self, text: str) -> tuple[NDArray[np.int64], Tensor]:
        """Returns the columns (G,) of a text's n-grams, and the logits (G, W) that they add."""
        if not isinstance(self._head, FrozenModel):
            return np.zeros(0, np.int64), torch.zeros(0, self.task.width)
        row = tf_idf(count_ngrams([text]), self._head.idf)
        added = row.data[:, None] * self._head.ngrams[row.indices]
        return row.indices.astype(np.int64), torch.from_numpy(added.astype(np.float32))


def frozen_logits(model: FrozenModel, vectors: Tensor, lang: str) -> Tensor:
    """Returns logits (S, W) of a frozen model by vectors (S, L, D), without its n-grams."""
    moved = vectors - torch.from_numpy(model.centres.of(lang))
    units = moved / moved.norm(dim=-1, keepdim=True).clamp(min=_LEAST_LENGTH)
    products = torch.einsum("sld,tld->stl", units, torch.from_numpy(model.support))
    compared = torch.exp(2.0 * (products - 1.0)).mean(dim=-1)  # (S, texts)
    return compared @ torch.from_numpy(model.coefficients) + torch.from_numpy(model.biases)
