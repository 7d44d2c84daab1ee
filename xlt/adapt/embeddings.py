"""Reads and replaces an encoder's input embeddings and its masked-LM head's bias."""

from __future__ import annotations

from torch import Tensor, nn
from transformers import PreTrainedModel

from xlt.encoder.encoder import Encoder
from xlt.errors import EncoderError


def masked_lm(encoder: Encoder) -> PreTrainedModel | None:
    """Returns the trained masked-LM model around the encoder's body, None without one."""
    return None if encoder.mlm is None else encoder.mlm.rest


def embedding_table(encoder: Encoder) -> nn.Embedding:
    """Returns the input embeddings.

    Raises:
        EncoderError: If the architecture has no table of embeddings.
    """
    table = encoder.model.get_input_embeddings()
    if not isinstance(table, nn.Embedding):
        raise EncoderError(f"{encoder.name!r} has no table of embeddings to adapt")
    return table


def set_embedding_table(encoder: Encoder, rows: Tensor) -> None:
    """Gives the encoder, and its masked-LM head, other embeddings (V, H)."""
    table = embedding_table(encoder)
    old = table.weight
    new = nn.Parameter(rows.detach().to(old.device).clone())
    assert isinstance(old, nn.Parameter)
    head = masked_lm(encoder)
    for model in (encoder.model, *([] if head is None else [head])):
        _replace(model, old, new)
        model.config.vocab_size = len(rows)
    table.num_embeddings = len(rows)


def head_bias(encoder: Encoder) -> nn.Parameter | None:
    """Returns the bias (V,) of the masked-LM head's last layer, None without one."""
    head = masked_lm(encoder)
    last = None if head is None else head.get_output_embeddings()  # type: ignore[no-untyped-call]
    bias = getattr(last, "bias", None)
    return bias if isinstance(bias, nn.Parameter) else None


def set_head_bias(encoder: Encoder, bias: Tensor) -> None:
    """Gives the masked-LM head, if it has a bias, another one (V,)."""
    head = masked_lm(encoder)
    old = head_bias(encoder)
    if head is not None and old is not None:
        _replace(head, old, nn.Parameter(bias.detach().to(old.device).clone()))


def _replace(model: nn.Module, old: nn.Parameter, new: nn.Parameter) -> None:
    """Replaces a parameter everywhere: tied weights occur several times."""
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            if parameter is old:
                setattr(module, name, new)
                if isinstance(module, nn.Linear):
                    module.out_features = len(new)
