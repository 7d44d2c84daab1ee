"""Scores on the worker's disk: found again by task and text, lost without harm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xlt.data.examples import Example
from xlt.tasks.outputs import Outputs, Scores
from xlt_backend.trainer import scorecache


def example(id: int, text: str = "text") -> Example:
    """A task's text."""
    return Example(id=str(id), texts=(f"{text} {id}",))


def scores(*values: float) -> Scores:
    """Scores that can be told apart."""
    column = np.array(values, np.float32)[:, None]
    return Scores(outputs=Outputs(np.hstack([column, -column])), vectors=column)


def test_rows_come_back_in_the_order_asked_for():
    """Row i is the score of example i, whatever the order they were kept in."""
    cached = scorecache.EMPTY.with_scores([example(1), example(2)], scores(1, 2))
    cached = cached.with_scores([example(3)], scores(3))

    assert cached.rows([example(3), example(1)]).vectors[:, 0].tolist() == [3, 1]
    assert len(cached.rows([])) == 0


def test_edited_text_is_missing():
    """A score belongs to a text, not to a task."""
    cached = scorecache.EMPTY.with_scores([example(1)], scores(1))

    assert cached.missing([example(1), example(1, "other"), example(2)]) == [
        example(1, "other"),
        example(2),
    ]
    with pytest.raises(KeyError):
        cached.rows([example(2)])


def test_scores_of_former_versions_are_found():
    """Their keys are of task and text alone; models that read the language came later."""
    given = [example(1), example(2)]
    keys = np.array([scorecache._former_key(one) for one in given])
    former = replace(scorecache.EMPTY, keys=keys, scores=scores(1, 2), tasks=keys, langs=keys)
    assert former.missing([*given, example(3)]) == [example(3)]
    assert former.rows(given[::-1]).vectors[:, 0].tolist() == [2, 1]
    both = former.with_scores([example(1), example(3)], scores(9, 3))
    assert both.rows([example(3), example(1)]).vectors[:, 0].tolist() == [3, 1]


def test_a_text_in_another_language_is_missing():
    """A frozen model reads it otherwise; another code of the same language changes nothing."""
    hausa = replace(example(1), lang="ha")
    cached = scorecache.EMPTY.with_scores([hausa], scores(1))

    assert cached.missing([replace(hausa, lang="hau_Latn")]) == []
    assert cached.missing([replace(hausa, lang="yo")]) == [replace(hausa, lang="yo")]


def test_missing_names_each_text_once():
    """A task may be labelled and in the pool: it is scored once."""
    assert scorecache.EMPTY.missing([example(1), example(1)]) == [example(1)]
    cached = scorecache.EMPTY.with_scores([example(1), example(1), example(2)], scores(1, 1, 2))

    assert len(cached.keys) == 2
    assert cached.rows([example(2)]).vectors.tolist() == [[2]]


def test_kept_on_disk(tmp_path: Path):
    """What is saved is loaded; nothing is unpickled."""
    cached = scorecache.EMPTY.with_scores([example(1), example(2)], scores(1, 2))
    scorecache.save(tmp_path / "a" / "s.npz", cached)

    assert scorecache.load(tmp_path / "a" / "s.npz").rows([example(2)]).vectors.tolist() == [[2]]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["s.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"nonsense"])
def test_damaged_file_is_no_file(tmp_path: Path, content: bytes):
    """It is computed anew."""
    (tmp_path / "s.npz").write_bytes(content)

    assert len(scorecache.load(tmp_path / "s.npz").keys) == 0
    assert len(scorecache.load(tmp_path / "none.npz").keys) == 0


def test_folder_that_cannot_be_written_costs_nothing(tmp_path: Path):
    """A full disk does not end a round here."""
    (tmp_path / "file").write_text("")
    scorecache.save(tmp_path / "file" / "s.npz", scorecache.EMPTY)


def test_vectors_of_pairs_take_the_place_of_those_of_single_texts():
    """They are longer; both would be asked for only if the interface were edited to and fro."""
    single = scorecache.EMPTY.with_scores([example(1)], scores(1))
    pair = Example(id="1", texts=("text 1", "another"))
    wide = Scores(
        outputs=Outputs(np.zeros((1, 2), np.float32)), vectors=np.ones((1, 4), np.float32)
    )

    assert single.missing([pair]) == [pair]
    both = single.with_scores([pair], wide)
    assert both.rows([pair]).vectors.shape == (1, 4)
    assert both.missing([example(1)]) == [example(1)]
    assert both.with_scores([], scores()) is both
