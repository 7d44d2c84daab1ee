"""Any Hugging Face encoder by name or folder, or the bundled one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xlt.errors import EncoderError

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoder:
    """A pre-trained encoder, ready to read texts.

    Attributes:
        name: What it was asked for as.
        model: The body: token ids in, hidden states (B, T, H) out.
        tokenizer: Texts to token ids.
        mlm: The whole masked-LM model around `model` where the checkpoint holds a trained
            MLM head, else None.
    """

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    mlm: nn.Module | None = None

    @property
    def width(self) -> int:
        """Length H of a hidden state and of a sentence vector."""
        return int(self.model.config.hidden_size)


def bundled() -> Path:
    """Folder of the encoder that comes with xlt.

    Raises:
        EncoderError: If this installation has none.
    """
    folder = Path(__file__).parent / "bundled"
    if not (folder / "config.json").is_file():
        raise EncoderError(f"this installation has no bundled encoder (looked in {folder})")
    return folder


def resolve(name: str) -> Path | str:
    """What `name` stands for: the bundled folder, a folder, or a Hub name as it is.

    Raises:
        EncoderError: If it looks like a folder and is not one with a config.json, or is empty.
    """
    if name == "bundled":
        return bundled()
    if not name.strip():
        raise EncoderError("the encoder's name is empty; give a folder, a Hub name, or 'bundled'")
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise EncoderError(f"no encoder in {folder}: it has no config.json")
        return folder
    if name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"no encoder in {folder}: there is no such folder")
    return name


def load_encoder(name: str = "bundled", *, with_mlm: bool = False) -> Encoder:
    """Load an encoder in float32, in evaluation mode.

    Args:
        name: "bundled", a folder, or a Hub name.
        with_mlm: Also load its masked-LM head, where the checkpoint has one.

    Raises:
        EncoderError: If there is none, or it cannot be loaded.
    """
    raise NotImplementedError


def embed(
    texts: Sequence[str], *, encoder: str = "bundled", batch_tokens: int = 4096
) -> NDArray[np.float32]:
    """Sentence vectors: mean over the tokens of the final layer.

    Args:
        texts: N texts; may be empty.
        encoder: As `load_encoder` takes it.
        batch_tokens: Padded tokens per forward pass.

    Returns:
        (N, H) float32, row i for text i.

    Raises:
        EncoderError: If the encoder cannot be loaded.
    """
    raise NotImplementedError
