"""Labels to look at again: planted errors come first, whatever things are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xlt.data.examples import Example, TaskSpec
from xlt.errors import DataError
from xlt.review.labels import out_of_sample, recheck

TASK = TaskSpec(labels=("health", "sport", "travel"))


def texts(seed=0, n=240, wrong=0.1, spread=2.0):
    """Labelled texts, vectors that say what they are about, ids of texts with wrong labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    vectors = spread * np.eye(8)[truth] + rng.standard_normal((n, 8))
    given = np.where(rng.random(n) < wrong, (truth + rng.integers(1, 3, n)) % 3, truth)
    examples = [
        Example(id=f"t{i}", text=f"text {i}", lang=("en", "ha")[i % 2], label=TASK.labels[given[i]])
        for i in range(n)
    ]
    bad = {example.id for example, ok in zip(examples, given == truth, strict=True) if not ok}
    return examples, vectors.astype(np.float32), bad


def alone(examples):
    """One annotator's answers."""
    return {e.id: {"ann": e.label} for e in examples}


def run(examples, vectors, answers=None, task=TASK, seed=1):
    """The doubts of a seed."""
    rng = np.random.default_rng(seed)
    return recheck(examples, answers or alone(examples), vectors, task, rng)


@pytest.mark.parametrize("seed", range(5))
def test_planted_label_errors_are_found(seed):
    """Of the first k, k the number of wrong labels, six times as many are wrong as by chance."""
    examples, vectors, bad = texts(seed)
    found = run(examples, vectors)
    first = [text.id in bad for text in found.texts[: len(bad)]]
    assert np.mean(first) > 6 * len(bad) / len(examples)
    assert {text.id for text in found.texts} == {example.id for example in examples}
    doubts = [text.doubt for text in found.texts]
    assert doubts == sorted(doubts, reverse=True)


def test_a_label_is_judged_by_heads_that_did_not_see_it():
    """With vectors that tell every text from every other, an in-sample head doubts nothing.

    Labels of pure chance are predicted no better than by chance.
    """
    rng = np.random.default_rng(0)
    examples = [
        Example(id=str(i), text="x", lang="en", label=TASK.labels[rng.integers(3)])
        for i in range(150)
    ]
    p = out_of_sample(examples, rng.standard_normal((150, 300)).astype(np.float32), TASK, rng)
    right = np.mean(
        [TASK.labels[row.argmax()] == e.label for row, e in zip(p, examples, strict=True)]
    )
    assert right < 0.45


def test_translations_are_judged_without_one_another():
    """Copies of a text in other languages would give its label away."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.standard_normal((50, 300)), 3, axis=0).astype(np.float32)
    labels = rng.integers(0, 3, 50).repeat(3)
    examples = [
        Example(id=str(i), text="x", lang="en", label=TASK.labels[labels[i]], group=f"g{i // 3}")
        for i in range(150)
    ]

    def right(of):
        p = out_of_sample(of, vectors, TASK, np.random.default_rng(1))
        return float((p.argmax(axis=1) == labels).mean())

    assert right(examples) < 0.45
    assert right([replace(example, group=None) for example in examples]) > 0.8


def test_names_do_not_matter():
    """Labels, annotators and ids by other names: the same order."""
    examples, vectors, _ = texts(n=90)
    people = {e.id: {"ab"[i % 2]: e.label} for i, e in enumerate(examples)}
    people["t0"] = {"a": "sport", "b": "travel"}
    names = {"health": "z", "sport": "a", "travel": "m"}
    renamed = [replace(e, label=names[e.label], id=f"x{e.id}") for e in examples]
    others = {
        f"x{id}": {who * 2: names[label] for who, label in said.items()}
        for id, said in people.items()
    }
    one = run(examples, vectors, people)
    two = run(renamed, vectors, others, TaskSpec(labels=("a", "m", "z")))
    np.testing.assert_allclose(
        [t.doubt for t in one.texts], [t.doubt for t in two.texts], atol=1e-5
    )
    assert [f"x{text.id}" for text in one.texts][:20] == [text.id for text in two.texts][:20]
    assert two.quality["aa"] == pytest.approx(one.quality["a"], abs=1e-4)


def test_reasons_name_the_label_the_model_and_the_disagreement():
    """One line each, for people."""
    examples, vectors, _ = texts()
    examples[0] = replace(examples[0], label=None)
    answers = alone(examples)
    answers["t0"] = {"ann": "sport", "bob": "travel"}
    found = {text.id: text for text in run(examples, vectors, answers).texts}
    assert found["t0"].reason.startswith("annotators disagree: 1 × 'sport', 1 × 'travel'; a model")
    assert found["t0"].answers == {"ann": "sport", "bob": "travel"}
    assert found["t0"].expected in TASK.labels
    assert found["t1"].reason.startswith(f"labelled {examples[1].label!r} by 1; a model that has")


def test_too_few_labels_say_nothing():
    """Under twenty, or of one class."""
    examples, vectors, _ = texts(n=19)
    assert run(examples, vectors) is None
    examples, vectors, _ = texts(n=60)
    same = [replace(example, label="sport") for example in examples]
    assert run(same, vectors) is None


def test_a_class_seen_once_is_judged_without_having_been_learnt():
    """Whoever judges it has never seen its class: it is doubtful, and nothing breaks."""
    examples, vectors, _ = texts(n=60, wrong=0.0)
    kept = [i for i, e in enumerate(examples) if e.label != "travel"]
    kept.append(next(i for i, e in enumerate(examples) if e.label == "travel"))
    found = run([examples[i] for i in kept], vectors[kept])
    assert found.texts[0].id == examples[kept[-1]].id


def test_a_text_without_answers_is_refused():
    """It names the text."""
    examples, vectors, _ = texts(n=30)
    with pytest.raises(DataError, match="'t29' has no answer"):
        run(examples, vectors, alone(examples[:29]))
