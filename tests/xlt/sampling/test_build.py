"""The sampler's pool, built of tasks, vectors and what a model says."""

from __future__ import annotations

import numpy as np

from xlt.sampling.build import ModelView, Tasks, build_pool
from xlt.sampling.pool import SamplerOptions
from xlt.sampling.select import select
from xlt.sampling.transfer import Transfer

WAITING = Tasks(
    ids=["a", "b", "c"],
    langs=["ha", "ha", "yo"],
    vectors=np.eye(3, 4),
    texts=["a text", "12345", "another"],
)
TRAINED = Tasks(ids=["x", "y"], langs=["en", "ha"], vectors=np.eye(2, 4))
AUDIT = np.array([True, False, False])


def test_a_new_project_has_tasks_and_nothing_else():
    """No model, no labels: no uncertainty, nothing counted, nothing to be near to."""
    pool = build_pool(WAITING, None, audit=AUDIT)
    assert (pool.uncertainty, pool.labelled_vectors, pool.random_keys) == (None, None, None)
    assert (pool.labels, pool.labelled_ids, dict(pool.labelled_counts)) == (0, (), {})
    assert select(pool, SamplerOptions(), np.random.default_rng(0)).phase == "typicality"


def test_what_is_known_is_counted_by_language():
    """Labels that train and labels that judge are counted apart; the rest is passed on."""
    transfer = Transfer(gain=0.1, error=0.1, labels=9, judged=9)
    keys = np.array([0.1, 0.2, 0.3])
    pool = build_pool(
        WAITING,
        TRAINED,
        audit=AUDIT,
        model=ModelView(uncertainty=np.array([0.1, 0.5, 0.9]), measure="entropy"),
        judged_langs=["ha", "ha", "yo"],
        accuracies={"ha": 0.5},
        transfer=transfer,
        random_keys=keys,
    )
    assert dict(pool.labelled_counts) == {"en": 1, "ha": 1}
    assert dict(pool.audit_counts) == {"ha": 2, "yo": 1}
    assert (pool.accuracies, pool.transfer) == ({"ha": 0.5}, transfer)
    assert (pool.measure, pool.uncertainty.tolist()) == ("entropy", [0.1, 0.5, 0.9])
    assert (pool.labelled_langs, pool.labelled_ids) == (["en", "ha"], ["x", "y"])
    assert pool.random_keys is keys
    assert pool.audit is AUDIT


def test_texts_without_words_are_held_back_if_there_are_texts():
    """A number is labelled last of its language; without texts nothing is known of them."""
    assert list(build_pool(WAITING, TRAINED, audit=AUDIT).held_back) == ["b"]
    silent = Tasks(ids=WAITING.ids, langs=WAITING.langs, vectors=WAITING.vectors)
    assert build_pool(silent, TRAINED, audit=AUDIT).held_back == {}


def test_neighbours_need_not_be_named():
    """Labelled texts still cover what they say."""
    pool = build_pool(WAITING, TRAINED, audit=AUDIT, name_neighbours=False)
    assert pool.labelled_ids == ()
    assert pool.labelled_vectors is TRAINED.vectors
