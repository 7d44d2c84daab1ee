"""Options of distillation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DistilOptions:
    """Options of step 3.

    Attributes:
        minutes: Time limit; 0 for none.
        steps: Largest number of steps.
        batch_tokens: Tokens of a batch of texts with padding.
        max_tokens: Longer texts are truncated.
        lexicon_share: Share of words in the rows of a batch.
        english_share: Tokens of English in a step, relative to `batch_tokens`.
        language_exponent: Languages are drawn in proportion to their number of texts to this
            power.
        few_texts: Languages with fewer texts are drawn in proportion to their number.
        body_learning_rate: Peak rate of the body.
        row_learning_rate: Peak rate of new embeddings.
        english_row_learning_rate: Peak rate of the teacher's embeddings.
        warmup_share: Share of the steps in which rates rise.
        distance_weight: Weight of the distance to the teacher's vector of the translation.
        contrast_weight: Weight of the contrast between that vector and others.
        english_weight: Weight of the distance of English texts to the teacher's vectors.
        temperature: Divides the cosines of the contrasts.
        negatives: Vectors of the teacher that each text is contrasted with.
        masked_weight: Weight of the masked-token loss.
        masked_share: Chance of a token to be hidden.
        masked_rows: Texts of a step with hidden tokens.
        paired_share: Share of those that are followed by their translation (TLM).
        align_weight: Weight of the alignment with the student's own English.
        align_loss: contrastive, cosine or l2.
        align_rows: Texts of a step that are aligned.
        koleo_weight: Weight of KoLeo within the alignment.
        checkpoint_minutes: Time between checkpoints.
        precision: bf16 or no; fp16 would need scaled gradients.
    """

    minutes: float = 30.0
    steps: int = 100_000
    batch_tokens: int = 4096
    max_tokens: int = 64
    lexicon_share: float = 0.3
    english_share: float = 0.2
    language_exponent: float = 0.35
    few_texts: int = 1000
    body_learning_rate: float = 1e-4
    row_learning_rate: float = 5e-4
    english_row_learning_rate: float = 5e-5
    warmup_share: float = 0.03
    distance_weight: float = 1.0
    contrast_weight: float = 0.2
    english_weight: float = 1.0
    temperature: float = 0.05
    negatives: int = 1024
    masked_weight: float = 0.0
    masked_share: float = 0.15
    masked_rows: int = 16
    paired_share: float = 0.3
    align_weight: float = 0.0
    align_loss: str = "contrastive"
    align_rows: int = 32
    koleo_weight: float = 0.0
    checkpoint_minutes: float = 5.0
    precision: str = "bf16"
