"""Classification of a text by a linear layer on the mean vector of its tokens, as xlt trains it.

`xlt versions export --format huggingface` copies this file beside the weights, where
`AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)` finds it. It
needs torch and transformers alone.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class XltForSequenceClassification(PreTrainedModel):  # type: ignore[no-untyped-call]
    """An encoder, the mean of its last states over the tokens, and a linear layer."""

    base_model_prefix = "model"
    _supports_sdpa = True  # the encoder inside attends

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.model = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        self.classifier = nn.Linear(int(config.hidden_size), int(config.num_labels or 0))
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,  # noqa: ANN401 - inputs of the encoder
    ) -> SequenceClassifierOutput:
        """Returns logits (B, W) of token ids (B, T) and attention mask (B, T)."""
        states = self.model(input_ids=input_ids, attention_mask=attention_mask, **inputs)[0]
        weights = attention_mask.unsqueeze(-1).to(states.dtype)  # type: ignore[union-attr]
        means = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        return SequenceClassifierOutput(logits=self.classifier(means))
