"""What /status says of a project's labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from xlt.data.examples import Example
from xlt.payoff.lure import lure_weights
from xlt.sampling.control import random_key
from xlt.tasks.metrics import wilson
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.ledger import Draw, Ledger
from xlt_backend.rounds.payoff import Payoff, choosing_words, measure, prequential
from xlt_backend.rounds.snapshot import Snapshot, in_audit

TASK = SingleLabel(labels=("a", "b", "c"))
OPTIONS = ProjectOptions(audit_share=0.15, source_languages=("en",))
SALT = "1.2"


class Project:
    """Texts whose vectors tell their labels, labelled as the sampler would have them."""

    def __init__(self, *, tasks: int = 1600, chosen: int = 500, random: int = 130, bad: float = 0):
        """`bad`: share of the chosen labels that are wrong."""
        rng = np.random.default_rng(4)
        number = rng.integers(0, 3, tasks)
        x = 2.0 * np.eye(3, 10)[number] + rng.standard_normal((tasks, 10))
        self.vectors = {str(i): row for i, row in enumerate(x.astype(np.float32))}
        langs = rng.choice(["en", "ha", "yo"], tasks)
        all_of_it = [
            Example(
                id=str(i), texts=(f"text {i}",), lang=str(langs[i]), answer=TASK.labels[number[i]]
            )
            for i in range(tasks)
        ]
        audit = [e for e in all_of_it if in_audit(e, OPTIONS, SALT)]
        main = [e for e in all_of_it if not in_audit(e, OPTIONS, SALT)]
        by_key = sorted(main, key=lambda e: random_key(e.id, salt=SALT))
        train = by_key[:random]
        for example in by_key[-chosen:]:
            wrong = rng.random() < bad
            label = TASK.labels[int(rng.integers(0, 3))] if wrong else example.answer
            train.append(Example(id=example.id, texts=("a text",), lang=example.lang, answer=label))
        labelled = {e.id for e in (*train, *audit)}
        self.snapshot = Snapshot(
            task=TASK,
            train=tuple(train),
            audit=tuple(audit),
            pool=tuple(e for e in main if e.id not in labelled),
            labelled_at={id: 100.0 + int(id) for id in labelled},
        )
        self.ledger = Ledger(
            labelled={
                e.id: Draw(lang=e.lang, propensity=0.9, remaining=900, predicted="a", at=1.0)
                for e in train[random:]
            }
        )

    def given(self, examples: Sequence[Example]) -> np.ndarray:
        """Their vectors."""
        return np.stack([self.vectors[e.id] for e in examples])

    def measured(self, **fields: Any) -> Payoff:
        """What is said of it."""
        values = {"snapshot": self.snapshot, "ledger": self.ledger, "options": OPTIONS} | fields
        snapshot: Snapshot = values.pop("snapshot")
        return measure(
            snapshot.train,
            snapshot.audit,
            snapshot.pool,
            snapshot.task,
            vectors=self.given,
            labelled_at=snapshot.labelled_at,
            salt=SALT,
            rng=np.random.default_rng(0),
            **values,
        )


def test_where_choosing_hurts_it_falls_back_and_says_so():
    """What was chosen is what annotators get wrong."""
    found = Project(bad=0.9).measured()
    assert found.fallen_back
    choosing = found.report["choosing"]
    assert choosing["fallen_back"] is True
    assert choosing["gain"]["high"] < 0
    assert choosing["judged"] > 100
    assert "drawn at random within each language" in choosing["words"] == found.words


def test_where_nothing_matters_it_goes_on_choosing():
    """Chosen labels that are as good as random ones."""
    found = Project().measured()
    assert not found.fallen_back
    gain = found.report["choosing"]["gain"]
    assert gain["low"] < 0 < gain["high"]
    assert "points" in found.words
    assert "random within" not in found.words


def test_it_chooses_again_when_choosing_does_not_look_worse():
    """Fallen back before; what is measured now decides."""
    project = Project()
    gain = project.measured().report["choosing"]["gain"]["value"]
    before = Ledger(labelled=project.ledger.labelled, fallen_back=True)
    found = project.measured(ledger=before)
    assert found.fallen_back == (gain < 0)
    assert ("choosing again" in found.words) == (gain >= 0)


def test_labels_whose_draw_is_not_known_are_nobodys_choice():
    """Without a ledger there is nothing to compare, and nothing changes."""
    for before in (False, True):
        found = Project(bad=0.9).measured(ledger=Ledger(fallen_back=before))
        assert found.fallen_back is before
        assert "too early to say" in found.words
        assert "gain" not in found.report["choosing"]
        assert found.report["choosing"]["saved"]["words"] == "not known yet"


def test_languages_say_what_their_last_labels_bought():
    """With an interval, judged by all audit labels of the language."""
    project = Project()
    found = project.measured().report["languages"]
    assert set(found) == {"en", "ha", "yo"}
    for lang, of in found.items():
        last = of["last_labels"]
        trained = sum(e.lang == lang for e in project.snapshot.train)
        assert last["labels"] == min(100, trained // 2)
        assert last["judged"] == sum(e.lang == lang for e in project.snapshot.audit)
        assert last["low"] < last["value"] < last["high"]
        assert last["words"].startswith(f"the last {last['labels']} labels improved accuracy by ")


def test_the_last_labels_are_the_newest():
    """Mistakes cost where they were made last, and gain nothing where they were made first."""
    project = Project(random=600, chosen=1)
    own = [e for e in project.snapshot.train if e.lang == "ha"]
    after = {"a": "b", "b": "c", "c": "a"}
    train = [
        Example(id=e.id, texts=("a text",), lang=e.lang, answer=after[str(e.answer)])
        if i >= len(own) - 100
        else e
        for i, e in enumerate(own)
    ]
    gains = []
    for sign in (1, -1):
        at = {e.id: float(1000 + sign * i) for i, e in enumerate(own)}
        audit = project.snapshot.audit
        snapshot = Snapshot(task=TASK, train=tuple(train), audit=audit, labelled_at=at)
        report = project.measured(snapshot=snapshot).report
        gains.append(report["languages"]["ha"]["last_labels"]["value"])
    assert gains[0] < -0.05
    assert gains[1] > gains[0] + 0.05


def test_a_project_with_few_labels_is_told_so():
    """Nothing fails where there is next to nothing."""
    project = Project(tasks=40, chosen=3, random=2)
    found = project.measured()
    assert "too early to say" in found.words
    for of in found.report["languages"].values():
        assert of["last_labels"] == {"words": "too early to say"}
        assert of["saved"] == {"words": "not known yet"}
    none = Snapshot(task=TASK, train=project.snapshot.train)
    assert "too early to say" in project.measured(snapshot=none).words


def judged(snapshot: Snapshot, ledger: Ledger, lang: str):
    """The accuracy on labels before models learned from them."""
    return prequential(snapshot.train, snapshot.audit, TASK, ledger, lang)


def labelled(*draws: tuple[str, float, int, str | None, float], audit: int = 0, right: int = 0):
    """Labels "a" in Hausa, with their draws; so many audit labels, so many of them predicted."""
    train = tuple(Example(id=id, texts=("a text",), lang="ha", answer="a") for id, *_ in draws)
    judges = tuple(
        Example(id=f"x{i}", texts=("a text",), lang="ha", answer="a") for i in range(audit)
    )
    of = {
        id: Draw(lang="ha", propensity=q, remaining=left, predicted=said, at=at)
        for id, q, left, said, at in draws
    }
    for i in range(audit):
        said = "a" if i < right else "b"
        of[f"x{i}"] = Draw(lang="ha", propensity=0.1, remaining=10, predicted=said, at=1.0)
    return Snapshot(task=TASK, train=train, audit=judges), Ledger(labelled=of)


def test_audit_labels_alone_are_wilson():
    """Nothing to weigh."""
    found = judged(*labelled(audit=12, right=9), "ha")
    assert found is not None
    assert (found.low, found.high) == pytest.approx(wilson(9, 12))


def test_chosen_labels_are_weighed_in_the_order_of_labelling():
    """As LURE has it, with what was left at each draw; what no model saw is left out."""
    snapshot, ledger = labelled(
        ("2", 0.1 / 8, 8, "a", 5.0),
        ("1", 0.9, 9, "b", 3.0),
        ("3", 0.9, 7, None, 6.0),
        ("4", 0.9, 4, "b", 9.0),
    )
    weights = lure_weights(np.array([0.9, 0.1 / 8, 0.9]), 9, np.array([9, 8, 4]))
    found = judged(snapshot, ledger, "ha")
    assert found is not None
    kept = np.minimum(weights, weights.sum() / 4)
    assert found.accuracy == pytest.approx(kept[1] / kept.sum())
    assert found.labels == 3


def test_nothing_is_said_of_a_language_that_no_model_was_asked_about():
    """Labels before the first model, or without a draw."""
    snapshot, ledger = labelled(("1", 0.9, 9, None, 3.0))
    assert judged(snapshot, ledger, "ha") is None
    assert judged(snapshot, Ledger(), "ha") is None
    assert judged(snapshot, ledger, "yo") is None


def test_corrected_labels_judge_as_they_are_now():
    """A label that was changed later is compared in its new form."""
    snapshot, ledger = labelled(("1", 0.9, 9, "b", 3.0))
    changed = Snapshot(
        task=TASK, train=(Example(id="1", texts=("a text",), lang="ha", answer="b"),), audit=()
    )
    before, after = (judged(s, ledger, "ha") for s in (snapshot, changed))
    assert before is not None
    assert after is not None
    assert (before.accuracy, after.accuracy) == (0.0, 1.0)


def test_words_without_a_test_say_what_goes_on():
    """Still fallen back although nothing could be measured this time."""
    words = choosing_words(None, fallen_back=True, before=True)
    assert "too early" in words
    assert "drawn at random" in words
