"""Pairs of sentences, "is this a translation?", from parallel text, with hard negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from xlt.data.examples import Example
from xlt.encoder.encoder import Encoder, embed

CORPUS, SOURCE = "ntrex", "eng"
LANGUAGES = ("amh", "ben", "deu", "fin", "hau", "khm", "rus", "swa", "yor", "zul")
#: Share of the sentences that may be labelled; pairs of the others judge.
LABELLED_SHARE = 0.6
SENTENCES = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Labelled pairs, and pairs that judge; no sentence is in both."""

    labelled: Sequence[Example]
    judging: Sequence[Example]


def sentences(file: Path) -> dict[str, list[str]]:
    """Reads the same sentences in all languages, in the order of their documents."""
    rows = pq.read_table(
        file, filters=[("corpus", "=", CORPUS), ("lang", "in", [SOURCE, *LANGUAGES])]
    ).to_pylist()
    texts: dict[str, dict[int, str]] = {}
    for row in rows:
        number = int(row["key"].partition(":")[2])
        texts.setdefault(row["lang"], {})[number] = row["text"]
    shared = sorted(set.intersection(*(set(numbers) for numbers in texts.values())))[:SENTENCES]
    return {lang: [numbers[n] for n in shared] for lang, numbers in texts.items()}


def draw(
    texts: dict[str, list[str]], encoder: Encoder, labels: int, judging: int, seed: int
) -> Split:
    """Draws labelled pairs, the same number of each language, and pairs that judge.

    Half of the pairs are translations. Of the others, one half has the sentence before or after,
    the other half the sentence whose English is nearest in the encoder's eyes.
    """
    count = len(texts[SOURCE])
    cut = round(LABELLED_SHARE * count)
    vectors = embed(texts[SOURCE], encoder=encoder)
    rng = np.random.default_rng(seed)
    parts = (range(cut), labels // len(LANGUAGES)), (range(cut, count), judging)
    drawn = [
        [
            _pair(texts, lang, int(row), members, vectors, kind)
            for lang in LANGUAGES
            for kind, row in enumerate(rng.permutation(np.array(members))[:wanted])
        ]
        for members, wanted in parts
    ]
    return Split(labelled=drawn[0], judging=drawn[1])


def _pair(
    texts: dict[str, list[str]],
    lang: str,
    row: int,
    members: range,
    vectors: np.ndarray,
    kind: int,
) -> Example:
    """Returns a translation, or a hard negative within the same part."""
    other = row
    if kind % 4 == 1:
        other = row + 1 if row + 1 in members else row - 1
    elif kind % 4 == 3:
        part = np.array(members)
        centred = vectors[part] - vectors[part].mean(axis=0)
        centred /= np.linalg.norm(centred, axis=1, keepdims=True)
        near = centred @ centred[row - members.start]
        near[row - members.start] = -np.inf
        other = int(part[near.argmax()])
    return Example(
        id=f"{lang}-{row}",
        texts=(texts[SOURCE][row], texts[lang][other]),
        lang=lang,
        answer="no" if kind % 2 else "yes",
        group=str(row),
    )
