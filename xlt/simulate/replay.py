"""The data of a simulation: labelled texts to select from, test texts, their sentence vectors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlt.data.examples import Example
from xlt.data.languages import normalise
from xlt.disk.durable import replacement
from xlt.disk.fingerprints import fingerprint
from xlt.encoder.locations import encoder_fingerprint
from xlt.errors import DataError
from xlt.frozen.features import Features
from xlt.frozen.ngrams import count_ngrams
from xlt.tasks.kinds import infer_task, read_answers
from xlt.tasks.task import AnyTask, Show

_CHUNK = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """N labelled texts as arrays.

    Attributes:
        ids: N distinct ids.
        groups: (N,) groups; texts with the same meaning in any language share one.
        langs: (N,) language codes as the data writes them.
        answers: N answers.
        vectors: (N, D) float32 sentence vectors.
        texts: N inputs (`Example.input`); () if no learner reads them.
        features: Features of the frozen encoder; None if no learner reads them.
    """

    ids: Sequence[str]
    groups: NDArray[np.str_]
    langs: NDArray[np.str_]
    answers: Sequence[Hashable]
    vectors: NDArray[np.float32]
    texts: Sequence[str | tuple[str, ...]] = ()
    features: Features | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.intp]) -> Texts:
        """Returns some of the texts, in the order of `rows`."""
        return Texts(
            ids=[self.ids[row] for row in rows],
            groups=self.groups[rows],
            langs=self.langs[rows],
            answers=[self.answers[row] for row in rows],
            vectors=self.vectors[rows],
            texts=[self.texts[row] for row in rows] if self.texts else (),
            features=None if self.features is None else self.features.take(rows),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replay:
    """A data set to replay.

    Attributes:
        pool: Texts to select from.
        test: Texts that judge; none has the same meaning as one of the pool.
        task: Task of the answers.
        source: The source languages, as the data writes them.
        targets: The target languages, as the data writes them.
    """

    pool: Texts
    test: Texts
    task: AnyTask
    source: tuple[str, ...]
    targets: tuple[str, ...]


def make_replay(
    pool: Sequence[Example],
    test: Sequence[Example],
    features: Features,
    *,
    source: Sequence[str],
    kind: str | None = None,
) -> Replay:
    """Combines examples with their features.

    Args:
        pool: Labelled examples to select from.
        test: Labelled examples that judge.
        features: Features of all P + T texts, those of the pool first.
        source: Source languages; all others are targets.
        kind: Kind of the task; None for the first kind that has such answers.

    Raises:
        DataError: If a group is on both sides, or no target language is left.
    """
    sources, targets = divided(pool, test, source)
    task = infer_task([*pool, *test], kind)
    return Replay(
        pool=_texts(pool, features.take(slice(len(pool))), task),
        test=_texts(test, features.take(slice(len(pool), None)), task),
        task=task,
        source=sources,
        targets=targets,
    )


def divided(
    pool: Sequence[Example], test: Sequence[Example], source: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns the source and the target languages of the pool, as the data writes them.

    Raises:
        DataError: If a group is in the pool and in the test set, or no target language is left.
    """
    shared = {e.group_key for e in pool} & {e.group_key for e in test}
    if shared:
        raise DataError(
            f"{len(shared)} groups (such as {sorted(shared)[0]!r}) are in the pool and in the "
            "test set: remove them from one of the two, because a label would reveal the answer "
            "of a test text"
        )
    keys = {normalise(code) for code in source}
    langs = list(dict.fromkeys(e.lang for e in pool))
    targets = tuple(code for code in langs if normalise(code) not in keys)
    if not targets:
        raise DataError(
            f"expected target languages besides the source {list(source)}, got {langs}: add "
            "texts in a target language"
        )
    return tuple(code for code in langs if normalise(code) in keys), targets


def cached_features(
    texts: Sequence[str | tuple[str, ...]], *, encoder: str, folder: Path, show: Show
) -> Features:
    """Returns features of texts, whose vectors are read from `folder` if computed before.

    The file's name is a digest of the texts and of the encoder's files, so that neither another
    data set nor another encoder of the same name uses the file.

    Raises:
        EncoderError: If the encoder cannot be loaded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = fingerprint([encoder_fingerprint(encoder), *texts])[:16]
    file = folder / f"layers-{name}.npy"
    if not file.is_file():
        vectors = _layers(texts, encoder, show)
        with replacement(file) as beside:
            np.save(beside, vectors)
    return Features(vectors=np.load(file, mmap_mode="r"), ngrams=count_ngrams(texts))


def _layers(
    texts: Sequence[str | tuple[str, ...]], encoder: str, show: Show
) -> NDArray[np.float32]:
    from xlt.encoder.encoder import load_encoder
    from xlt.models.features import FeatureReader

    reader = FeatureReader(lambda: load_encoder(encoder, to_read=True))
    return reader.vectors(texts, partial(show, "reading texts"))


def _texts(examples: Sequence[Example], features: Features, task: AnyTask) -> Texts:
    return Texts(
        ids=[e.id for e in examples],
        groups=np.array([e.group_key for e in examples], dtype=np.str_),
        langs=np.array([e.lang for e in examples], dtype=np.str_),
        answers=[e.answer for e in read_answers(examples, task)],
        vectors=features.vectors[:, -1],
        texts=[e.input for e in examples],
        features=features,
    )
