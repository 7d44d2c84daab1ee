"""Head: a linear layer on the mean vector, trained by cross-entropy."""

from __future__ import annotations

from xlt.tasks.categorical_head import CategoricalHead


class SingleLabelHead(CategoricalHead):
    """One logit per label."""


HEAD = SingleLabelHead
