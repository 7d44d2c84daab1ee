"""What a round decides, without Label Studio, Redis or a model."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.examples import Example
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.labelstudio.scores import insert_scores
from xlt_backend.names import is_ours, newest, published
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.decide import Action, data_hash, decide
from xlt_backend.rounds.judge import judge
from xlt_backend.rounds.known import Known, Trained
from xlt_backend.rounds.snapshot import Snapshot

TASK = SingleLabel(labels=("a", "b"))
OPTIONS = ProjectOptions(min_labels=4, retrain_after_labels=3, retrain_after_s=100)
V1, V2 = "v0001-20261122T080000", "v0002-20261122T090000"


def examples(count: int, *, start: int = 0) -> tuple[Example, ...]:
    """Labelled examples of both classes."""
    return tuple(
        Example(id=str(n), texts=(f"text {n}",), answer="ab"[n % 2])
        for n in range(start, start + count)
    )


def snapshot(*, train: int = 0, pool: int = 3, shown: str | None = V1, scored: int | None = None):
    """A project with so many labels and waiting tasks."""
    waiting = tuple(Example(id=f"{900 + n}", texts=("x",)) for n in range(pool))
    with_score = waiting[: pool if scored is None else scored]
    return Snapshot(
        task=TASK,
        train=examples(train),
        pool=waiting,
        shown=shown,
        scored={example.id: 0.5 for example in with_score},
    )


def version(name: str = V1, *, data: str = "old", promoted=True, task=TASK, **more):
    """A version of the store."""
    return Trained(name=name, data_hash=data, task=task, promoted=promoted, **more)


def known(*versions: Trained, active: str | None = V1, used: int = 0, **more) -> Known:
    """What the store has."""
    return Known(
        active=active,
        versions=versions,
        used=Snapshot(task=TASK, train=examples(used)).labels,
        **more,
    )


NOTHING_KNOWN = Known()

CASES = {
    "no tasks": (snapshot(pool=0, shown=None), NOTHING_KNOWN, Action.NOTHING),
    "tasks without order": (snapshot(shown=None, scored=0), NOTHING_KNOWN, Action.START),
    "title of the backend is no order": (snapshot(shown="xlt"), NOTHING_KNOWN, Action.START),
    "ordered without a model": (
        snapshot(shown="start-20261122T080000"),
        NOTHING_KNOWN,
        Action.NOTHING,
    ),
    "new task before the first model": (
        snapshot(shown="start-20261122T080000", scored=2),
        NOTHING_KNOWN,
        Action.START,
    ),
    "first labels suffice": (snapshot(train=4), NOTHING_KNOWN, Action.TRAIN),
    "too few labels": (
        snapshot(train=3, shown="start-20261122T080000"),
        NOTHING_KNOWN,
        Action.NOTHING,
    ),
    "nothing new": (snapshot(train=4), known(version(), used=4), Action.NOTHING),
    "too few new ones": (snapshot(train=6), known(version(), used=4), Action.NOTHING),
    "enough new ones": (snapshot(train=7), known(version(), used=4), Action.TRAIN),
    "a few, for long": (
        snapshot(train=5),
        known(version(), used=4, first_new_at=900.0),
        Action.TRAIN,
    ),
    "new task": (snapshot(train=4, scored=2), known(version(), used=4), Action.INSERT),
    "Label Studio shows another": (
        snapshot(train=4, shown="v0000-20261122T070000"),
        known(version(), used=4),
        Action.PUBLISH,
    ),
    "saved and not published": (
        snapshot(train=5),
        known(version(), version(V2, promoted=False), used=5),
        Action.PUBLISH,
    ),
    "refused is not published": (
        snapshot(train=5),
        known(version(), version(V2, refused=True, promoted=False), used=5),
        Action.NOTHING,
    ),
    "rolled back stays so": (
        snapshot(train=5),
        known(version(), version(V2), used=5),
        Action.NOTHING,
    ),
    "a person went back from the newest": (
        snapshot(train=5),
        known(version(), version(V2, promoted=False, replaced=True), used=5),
        Action.NOTHING,
    ),
    "a person went back from what these labels trained": (
        snapshot(train=7),
        known(version(), version(V2, data="now", replaced=True), used=4),
        Action.NOTHING,
    ),
    "same data was trained and saved": (
        snapshot(train=7),
        known(version(), version(V2, data="now", promoted=False), used=4),
        Action.PUBLISH,
    ),
    "same data was refused": (
        snapshot(train=7),
        known(version(), version(V2, data="now", refused=True, promoted=False), used=4),
        Action.NOTHING,
    ),
    "same data is active": (
        snapshot(train=7),
        known(version(data="now"), used=4),
        Action.NOTHING,
    ),
    "diverged on the same data": (
        snapshot(train=7),
        known(version(), used=4, failed_hash="now"),
        Action.NOTHING,
    ),
    "other labels": (
        snapshot(train=4),
        known(version(task=SingleLabel(labels=("a", "c"))), used=4),
        Action.TRAIN,
    ),
    "labels in another order": (
        snapshot(train=4),
        known(version(task=SingleLabel(labels=("b", "a"))), used=4),
        Action.NOTHING,
    ),
    "a label was removed": (
        snapshot(train=4),
        known(version(task=SingleLabel(labels=("a", "b", "c"))), used=4),
        Action.PUBLISH,
    ),
    "a label was removed, and this was published": (
        snapshot(train=4, shown=published(V1, {"c": ""})),
        known(version(task=SingleLabel(labels=("a", "b", "c"))), used=4),
        Action.NOTHING,
    ),
    "a label was removed, and enough labels are new": (
        snapshot(train=7),
        known(version(task=SingleLabel(labels=("a", "b", "c"))), used=4),
        Action.TRAIN,
    ),
    "a label was removed before a saved version was published": (
        snapshot(train=5),
        known(
            version(),
            version(V2, promoted=False, task=SingleLabel(labels=("a", "b", "c"))),
            used=5,
        ),
        Action.PUBLISH,
    ),
    "other labels, too few": (
        snapshot(train=1),
        known(version(task=SingleLabel(labels=("a", "c"))), used=1),
        Action.START,
    ),
    "active version is damaged": (snapshot(train=4), known(active=V1, used=0), Action.TRAIN),
}


@pytest.mark.parametrize("case", CASES)
def test_decisions(case):
    """Each situation has one thing to do next."""
    seen, remembered, action = CASES[case]
    decision = decide(seen, remembered, OPTIONS, data="now", forced=False, now=1000.0)

    assert decision.action is action
    assert decision.reason
    assert decision.needed >= 1


def test_one_class_is_not_enough():
    """However many labels there are, a model needs two of them to tell apart."""
    same = tuple(Example(id=str(n), texts=("x",), answer="a") for n in range(50))
    decision = decide(
        Snapshot(task=TASK, train=same), NOTHING_KNOWN, OPTIONS, data="", forced=True, now=0.0
    )

    assert decision.action is Action.NOTHING


@pytest.mark.parametrize(
    ("new", "forced", "action"),
    [(1, True, Action.TRAIN), (0, True, Action.TRAIN), (1, False, Action.NOTHING)],
)
def test_orders_ignore_thresholds(new, forced, action):
    """Who orders a training gets one, except on data that was trained on."""
    decision = decide(
        snapshot(train=4 + new),
        known(version(), used=4),
        OPTIONS,
        data="now",
        forced=forced,
        now=0.0,
    )

    assert decision.action is action


def test_needed_and_due():
    """The decision says how many labels are missing, and when time will do."""
    decision = decide(
        snapshot(train=5),
        known(version(), used=4, first_new_at=950.0),
        OPTIONS,
        data="now",
        forced=False,
        now=1000.0,
    )

    assert (decision.changed, decision.needed, decision.due_at) == (1, 2, 1050.0)


def test_labels_that_vanished_make_no_training_due():
    """Until it is told what became of them; those of a removed label are gone."""
    before = known(version(task=SingleLabel(labels=("a", "b", "c"))), used=8)
    remembered = replace(
        before, used={id: replace(label, answer="c") for id, label in before.used.items()}
    )
    for rename, gone in (({}, 0), ({"c": ""}, 8), ({"c": "a"}, 8)):
        decision = decide(
            snapshot(),
            remembered,
            OPTIONS.model_copy(update={"rename": rename}),
            data="now",
            forced=False,
            now=0.0,
        )
        assert len(decision.changes.gone) == decision.changed == gone


def test_data_hash_is_that_of_the_code_before_kinds_of_tasks():
    """It names trainings, tells which labels were trained on, and seeds the sampler."""
    train = (
        Example(id="7", texts=("Ẹ káàárọ̀",), lang="yo", answer="b", group="g", weight=2 / 3),
        Example(id="12", texts=("a ball",), lang="en", answer="a"),
    )
    digest = data_hash(Snapshot(task=TASK, train=train), {"encoder": "bundled", "seed": 13})
    assert digest == "7fd988a6dcb40c2e97241d4d395dc9c60a3462a1a83b61763ce4424dd4498148"


def test_data_hash_sees_what_training_sees():
    """Order of tasks and the pool do not matter; text, label, weight and settings do."""
    base = Snapshot(task=TASK, train=examples(4))
    same = Snapshot(task=TASK, train=examples(4)[::-1], pool=examples(3, start=50))
    edited = Snapshot(
        task=TASK, train=(Example(id="0", texts=("other",), answer="a"), *examples(4)[1:])
    )

    assert data_hash(base, {"seed": 1}) == data_hash(same, {"seed": 1})
    assert data_hash(base, {"seed": 1}) != data_hash(base, {"seed": 2})
    assert data_hash(base, {"seed": 1}) != data_hash(edited, {"seed": 1})


def sign_test(lost: int, won: int) -> float:
    """P(at least `lost` of `lost + won` fair coins), term by term."""
    n = lost + won
    return sum(comb(n, k) * 0.5**n for k in range(lost, n + 1))


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5))
def test_judge_is_the_exact_sign_test(lost, won, both):
    """Worse: only where chance explains it with at most ten in a hundred."""
    candidate = np.array([0.0] * lost + [1.0] * won + [1.0] * both)
    active = np.array([1.0] * lost + [0.0] * won + [1.0] * both)
    worse = lost > won and sign_test(lost, won) <= 0.1

    assert judge(candidate, active).worse is worse


def test_judge_says_why():
    """The reason has the numbers."""
    verdict = judge(np.array([0.0] * 8 + [1.0] * 2), np.ones(10))

    assert verdict.worse
    assert "2 of 10 audit labels right, before 10" in verdict.reason
    assert not judge(np.zeros(0), None).worse
    assert not judge(np.zeros(0), np.zeros(0)).worse


@given(
    st.lists(st.floats(0.01, 0.99), unique=True, max_size=40),
    st.lists(st.floats(0, 1), max_size=40),
)
def test_inserted_scores_keep_the_order(published, places):
    """New tasks stand in the order of their places, strictly between those that are there."""
    scores = insert_scores(published, places)

    assert len(scores) == len(places)
    assert all(0 < score < 1 for score in scores)
    ranked = [score for _, score in sorted(zip(places, scores, strict=True))]
    in_order = sorted(range(len(places)), key=lambda i: (places[i], i))
    assert all(scores[a] <= scores[b] for a, b in pairwise(in_order)), ranked


def test_inserted_scores_between_neighbours():
    """Half-way into four tasks is between the second and the third."""
    assert insert_scores([0.1, 0.2, 0.3, 0.4], [0.5, 0.5]) == pytest.approx([0.7 / 3, 0.8 / 3])
    assert insert_scores([], [0.0, 0.5]) == pytest.approx([1 / 3, 2 / 3])


def test_predictions_in_other_labels_have_another_name():
    """The same for the same labels, whatever their order; ours; the plain name without any."""
    assert published(V1, {}) == V1
    name = published(V1, {"a": "b", "c": ""})
    assert name == published(V1, {"c": "", "a": "b"})
    assert len({name, published(V1, {"a": "b"}), published(V1, {"a": "c", "c": ""}), V1}) == 4
    assert is_ours(name)
    assert newest(name, V1) == name
    assert newest(name, V2) == V2
    assert newest("start-20261122T080001", V1) == "start-20261122T080001"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (V1, True),
        ("start-20261122T080000", True),
        ("v1.abcdef01", False),
        (f"{V1}.x", False),
        ("xlt", False),
        ("gpt-4", False),
        ("", False),
    ],
)
def test_predictions_of_others_are_not_ours(name, ours):
    """What another model published is never deleted."""
    assert is_ours(name) is ours


@pytest.mark.parametrize(
    ("remembered", "stored", "shown"),
    [
        (None, "", ""),
        (None, "v0001-20261122T100000", "v0001-20261122T100000"),
        ("start-20261122T090000", "", "start-20261122T090000"),
        ("start-20261122T090000", "v0001-20261122T100000", "v0001-20261122T100000"),
        ("start-20261122T110000", "v0001-20261122T100000", "start-20261122T110000"),
        ("v0002-20261122T110000", "v0001-20261122T100000", "v0001-20261122T100000"),
    ],
)
def test_what_is_shown_is_known_without_redis(remembered, stored, shown):
    """The active version, rolled back or not; an order without a model only if it is newer."""
    assert newest(remembered, stored) == shown


@pytest.mark.parametrize(("before", "now"), [(1, 2), (2, 1)])
def test_a_version_that_reads_another_number_of_texts_is_replaced(before: int, now: int) -> None:
    """It cannot score the tasks, so that the next training is due at once, whatever the labels."""
    pairs = replace(snapshot(train=4), texts=now)
    old = replace(version(), texts=before)

    found = decide(pairs, known(old, used=4), OPTIONS, data="new", forced=False, now=0.0)
    assert (found.action, found.reason) == (
        Action.TRAIN,
        f"train: {now} texts are read in place of {before}",
    )
    too_few = replace(snapshot(train=0), texts=now)
    assert (
        decide(too_few, known(old), OPTIONS, data="new", forced=False, now=0.0).action
        is Action.START
    )
    newest = replace(version(V2, promoted=False), texts=now)
    saved = decide(too_few, known(old, newest), OPTIONS, data="new", forced=False, now=0.0)
    assert (saved.action, saved.version) == (Action.PUBLISH, V2)
