"""Tokenises the examples and translations of a training, once."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from xlt.config import Schedule, TrainConfig
from xlt.data.examples import Example
from xlt.data.languages import spellings
from xlt.encoder.encoder import Encoder
from xlt.encoder.tokens import Input
from xlt.tasks.heads import Head
from xlt.training.batches import Material


def build_material(
    labelled: Sequence[Example],
    unlabelled: Sequence[Example],
    pairs: Sequence[tuple[str, str]],
    encoder: Encoder,
    head: Head,
    config: TrainConfig,
) -> Material:
    """Tokenises the texts that the configured loss needs.

    Leaves out the pool if masked language modelling has weight 0 at every step, and the pairs if
    TLM or alignment have. All codes and names of a language are one language.

    Raises:
        DataError: If a labelled example's label is missing or not of the task.
    """
    tokenize = encoder.text_tokenizer(config.max_length)
    called = spellings(example.lang for example in (*labelled, *unlabelled))
    if head.reads_words:
        windows = encoder.word_tokenizer(config.max_length)([e.input for e in labelled])
        labelled = [e for e, own in zip(labelled, windows, strict=True) for _ in own]
        rows = [window for own in windows for window in own]
    else:
        rows = tokenize([text for example in labelled for text in _read(example, head)])
    langs = [called[example.lang] for example in labelled]
    codes = sorted(set(langs))
    pool = [] if Schedule.parse(config.mlm_weight).is_zero else list(unlabelled)
    for_tlm = [] if Schedule.parse(config.tlm_weight).is_zero else list(pairs)
    aligned = [] if Schedule.parse(config.align_weight).is_zero else list(pairs)
    texts = [(text, example.lang) for example in pool for text in _read(example, head)]
    tokenized_pool = tokenize([text for text, _ in texts])
    # A text of special tokens only has no token to mask.
    maskable = [i for i, tokens in enumerate(tokenized_pool) if not tokens.special.all()]
    targets = head.row_targets(labelled, rows)
    return Material(
        labelled=[rows[at : at + head.texts] for at in range(0, len(rows), head.texts)],
        task_targets=targets,
        answered=head.answered(targets),
        languages=torch.tensor([codes.index(lang) for lang in langs], dtype=torch.int64),
        weights=torch.tensor([example.weight for example in labelled]),
        unlabelled=[tokenized_pool[i] for i in maskable],
        unlabelled_languages=[called[texts[i][1]] for i in maskable],
        pairs=[tokens for tokens in tokenize(for_tlm) if not tokens.special.all()],
        sources=tokenize([source for source, _ in aligned]),
        targets=tokenize([target for _, target in aligned]),
    )


def _read(example: Example, head: Head) -> Sequence[Input]:
    """Returns what is read for an example: its texts, or all of them as one sequence."""
    return example.texts if head.texts > 1 else (example.input,)
