"""Splits of a parallel data set: labels, a pool, and texts that judge.

A labelled sentence gives away its translations, so sentences are split, not texts: those of the
pool and those that judge are never labelled in any language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlt.data.examples import Example
from xlt.tasks.single_label.task import SingleLabel

#: Share of the training sentences that may be labelled; the others are the pool.
LABELLED_SHARE = 0.71
#: Share of the labels that are in the source language.
SOURCE_SHARE = 0.5
POOL = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A parallel data set with one label per text.

    Attributes:
        file: Name of its Parquet file: lang, split, id, label, text.
        source: Language of half of the labels.
        few: Languages of the other half, in equal shares.
        none: Languages without labels.
        tuning: Name of the split that choices are made by.
    """

    file: str
    source: str
    few: tuple[str, ...]
    none: tuple[str, ...]
    tuning: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Returns all languages but the source."""
        return self.few + self.none


DATA_SETS = {
    "sib200": DataSet(
        file="sib200.parquet",
        source="eng_Latn",
        few=("hau_Latn", "quy_Latn", "swh_Latn", "wol_Latn", "yor_Latn"),
        none=("ibo_Latn", "lin_Latn", "lug_Latn", "som_Latn", "zul_Latn"),
        tuning="dev",
    ),
    # Languages that no setting of xlt was chosen by.
    "sib200-others": DataSet(
        file="sib200.parquet",
        source="eng_Latn",
        few=("amh_Ethi", "ckb_Arab", "gaz_Latn", "kin_Latn", "xho_Latn"),
        none=("bam_Latn", "grn_Latn", "min_Latn", "mri_Latn", "sin_Sinh"),
        tuning="dev",
    ),
    "nusax": DataSet(
        file="nusax_senti.parquet",
        source="english",
        few=("acehnese", "balinese", "javanese", "minangkabau", "sundanese"),
        none=("banjarese", "buginese", "indonesian", "madurese", "ngaju", "toba_batak"),
        tuning="valid",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """One draw of labels.

    Attributes:
        task: Task of all labels of the data set.
        labelled: Examples with an answer.
        pool: Texts of the targets; without answers.
        judging: Texts of the targets, with their answers.
    """

    task: SingleLabel
    labelled: Sequence[Example]
    pool: Sequence[Example]
    judging: Sequence[Example]


def draw(folder: Path, name: str, labels: int, seed: int, *, judge: str, most: int) -> Split:
    """Draws labels, pool and judging texts.

    Args:
        folder: Folder of the Parquet files.
        name: Key of `DATA_SETS`.
        labels: Number of labels; raises SystemExit if the data set has not so many.
        seed: Seed of the draw of labels and pool; the judging texts are always the same.
        judge: "test" or "tuning".
        most: Largest number of judging texts of a language.
    """
    data = DATA_SETS[name]
    table = pd.read_parquet(folder / data.file)
    table = table[table.lang.isin((data.source, *data.targets))]
    train = table[table.split == "train"]
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.sort(train.id.unique()))
    cut = round(LABELLED_SHARE * len(ids))
    rows = train.set_index(["lang", "id"])
    labelled: list[Example] = []
    for lang, wanted in _wanted(data, labels, cut).items():
        chosen = rng.permutation(ids[:cut])[:wanted]
        labelled += [_example(lang, i, rows.loc[lang, i]) for i in chosen]
    open_texts = train[train.lang.isin(data.targets) & train.id.isin(ids[cut:])]
    pool = open_texts.sample(n=min(POOL, len(open_texts)), random_state=seed)
    texts = table[(table.split == (judge if judge == "test" else data.tuning))]
    judging = pd.concat([texts[texts.lang == lang].head(most) for lang in data.targets])
    return Split(
        task=SingleLabel(labels=tuple(sorted(map(str, train.label.unique())))),
        labelled=labelled,
        pool=[_example(row.lang, row.id, row, answer=False) for row in pool.itertuples()],
        judging=[_example(row.lang, row.id, row) for row in judging.itertuples()],
    )


def _wanted(data: DataSet, labels: int, most: int) -> dict[str, int]:
    """Returns the number of labels per language."""
    source = min(round(SOURCE_SHARE * labels), most)
    each, more = divmod(labels - source, len(data.few))
    wanted = {data.source: source} | {
        lang: each + (place < more) for place, lang in enumerate(data.few)
    }
    if max(wanted.values()) > most:
        raise SystemExit(f"{labels} labels were asked for, there are {most} sentences to label")
    return wanted


def _example(lang: str, number: object, row: object, *, answer: bool = True) -> Example:
    label = str(row.label) if answer else None  # type: ignore[attr-defined]
    text = str(row.text)  # type: ignore[attr-defined]
    group = str(number)
    return Example(id=f"{lang}-{number}", texts=(text,), lang=lang, answer=label, group=group)
