"""Labels to review: planted errors come first, whatever things are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.xlt.graded import Stars
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.review.labels import out_of_sample, review
from xlt.tasks.outputs import Outputs
from xlt.tasks.single_label.task import SingleLabel

TASK = SingleLabel(labels=("health", "sport", "travel"))


def texts(seed=0, n=240, wrong=0.1, spread=2.0):
    """Labelled texts, vectors that say what they are about, ids of texts with wrong labels."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    vectors = spread * np.eye(8)[truth] + rng.standard_normal((n, 8))
    given = np.where(rng.random(n) < wrong, (truth + rng.integers(1, 3, n)) % 3, truth)
    examples = [
        Example(
            id=f"t{i}", texts=(f"text {i}",), lang=("en", "ha")[i % 2], answer=TASK.labels[given[i]]
        )
        for i in range(n)
    ]
    bad = {example.id for example, ok in zip(examples, given == truth, strict=True) if not ok}
    return examples, vectors.astype(np.float32), bad


def alone(examples):
    """One annotator's votes."""
    return {e.id: {"ann": e.answer} for e in examples}


def run(examples, vectors, votes=None, task=TASK, seed=1):
    """The review of a seed."""
    rng = np.random.default_rng(seed)
    return review(examples, votes or alone(examples), vectors, task, rng)


@pytest.mark.parametrize("seed", range(5))
def test_planted_label_errors_are_found(seed):
    """Of the first k, k the number of wrong labels, six times as many are wrong as by chance."""
    examples, vectors, bad = texts(seed)
    found = run(examples, vectors)
    first = [label.id in bad for label in found.labels[: len(bad)]]
    assert np.mean(first) > 6 * len(bad) / len(examples)
    assert {label.id for label in found.labels} == {example.id for example in examples}
    suspicion = [label.suspicion for label in found.labels]
    assert suspicion == sorted(suspicion, reverse=True)
    langs = {example.id: example.lang for example in examples}
    assert all(label.lang == langs[label.id] for label in found.labels)


def test_a_label_is_judged_by_probes_that_did_not_see_it():
    """With vectors that tell every text from every other, an in-sample probe suspects nothing.

    Labels of pure chance are predicted no better than by chance.
    """
    rng = np.random.default_rng(0)
    examples = [
        Example(id=str(i), texts=("x",), lang="en", answer=TASK.labels[rng.integers(3)])
        for i in range(150)
    ]
    vectors = rng.standard_normal((150, 300)).astype(np.float32)
    suggestions = TASK.decode(out_of_sample(examples, vectors, TASK, rng))
    right = np.mean(
        [found.answer == e.answer for found, e in zip(suggestions, examples, strict=True)]
    )
    assert right < 0.45


def test_translations_are_judged_without_one_another():
    """Copies of a text in other languages would give its label away."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.standard_normal((50, 300)), 3, axis=0).astype(np.float32)
    labels = rng.integers(0, 3, 50).repeat(3)
    examples = [
        Example(
            id=str(i), texts=("x",), lang="en", answer=TASK.labels[labels[i]], group=f"g{i // 3}"
        )
        for i in range(150)
    ]

    def right(of):
        beliefs = out_of_sample(of, vectors, TASK, np.random.default_rng(1))
        return float((beliefs.values.argmax(axis=1) == labels).mean())

    assert right(examples) < 0.45
    assert right([replace(example, group=None) for example in examples]) > 0.8


def test_names_do_not_matter():
    """Labels, annotators and ids by other names: the same order."""
    examples, vectors, _ = texts(n=90)
    people = {e.id: {"ab"[i % 2]: e.answer} for i, e in enumerate(examples)}
    people["t0"] = {"a": "sport", "b": "travel"}
    names = {"health": "z", "sport": "a", "travel": "m"}
    renamed = [replace(e, answer=names[e.answer], id=f"x{e.id}") for e in examples]
    others = {
        f"x{id}": {who * 2: names[label] for who, label in votes.items()}
        for id, votes in people.items()
    }
    one = run(examples, vectors, people)
    two = run(renamed, vectors, others, SingleLabel(labels=("a", "m", "z")))
    np.testing.assert_allclose(
        [t.suspicion for t in one.labels], [t.suspicion for t in two.labels], atol=1e-5
    )
    assert [f"x{label.id}" for label in one.labels][:20] == [t.id for t in two.labels][:20]
    assert two.quality["aa"] == pytest.approx(one.quality["a"], abs=1e-4)


def test_reasons_name_the_label_the_model_and_the_disagreement():
    """One line each, for people."""
    examples, vectors, _ = texts()
    examples[0] = replace(examples[0], answer=None)
    votes = alone(examples)
    votes["t0"] = {"ann": "sport", "bob": "travel"}
    found = {label.id: label for label in run(examples, vectors, votes).labels}
    assert found["t0"].reason.startswith("annotators disagree: 1 × 'sport', 1 × 'travel'; a model")
    assert found["t0"].votes == {"ann": "sport", "bob": "travel"}
    assert found["t0"].expected in TASK.labels
    assert found["t1"].reason.startswith(f"labelled {examples[1].answer!r} by 1; a model that has")


def test_too_few_labels_say_nothing():
    """Under twenty, or of one class."""
    examples, vectors, _ = texts(n=19)
    assert run(examples, vectors) is None
    examples, vectors, _ = texts(n=60)
    same = [replace(example, answer="sport") for example in examples]
    assert run(same, vectors) is None


def test_a_class_seen_once_is_judged_without_having_been_learnt():
    """The probe that judges it has never seen its class: it is suspect, and nothing breaks."""
    examples, vectors, _ = texts(n=60, wrong=0.0)
    kept = [i for i, e in enumerate(examples) if e.answer != "travel"]
    kept.append(next(i for i, e in enumerate(examples) if e.answer == "travel"))
    found = run([examples[i] for i in kept], vectors[kept])
    assert found.labels[0].id == examples[kept[-1]].id


def test_a_text_without_answers_is_refused():
    """It names the text."""
    examples, vectors, _ = texts(n=30)
    with pytest.raises(DataError, match="'t29' has no answer"):
        run(examples, vectors, alone(examples[:29]))


def test_a_suspect_label_competes_with_texts_that_have_none():
    """The scale is one: a text that the model is sure of is less suspect than a planted error."""
    examples, vectors, bad = texts()
    found = run(examples, vectors)
    sure, unsure = found.unlabelled(Outputs(np.array([[0.98, 0.01, 0.01], [0.34, 0.33, 0.33]])))
    errors = [label.suspicion for label in found.labels if label.id in bad]
    assert 0 <= sure < unsure <= 1
    assert sure < np.mean(errors)


def test_annotators_are_named_with_the_number_of_their_votes():
    """Those who agree with each other are better than one who names labels at random."""
    examples, vectors, _ = texts(wrong=0.0)
    rng = np.random.default_rng(9)
    guesses = [TASK.labels[number] for number in rng.integers(0, 3, len(examples))]
    votes = {
        e.id: {"ann": e.answer, "bob": e.answer, "guesser": guess}
        for e, guess in zip(examples, guesses, strict=True)
    }
    votes["t0"] = {"ann": examples[0].answer}
    found = run(examples, vectors, votes)
    assert found.given == {"ann": 240, "bob": 239, "guesser": 239}
    assert found.quality["guesser"] < 0.6 < 0.8 < min(found.quality["ann"], found.quality["bob"])


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_can_be_nearly_right_are_reviewed_by_credit(seed):
    """Planted errors come first here, too, and names of annotators do not matter."""
    examples, vectors, bad = texts(seed)
    task = Stars(labels=TASK.labels)
    found = run(examples, vectors, task=task)
    first = [label.id in bad for label in found.labels[: len(bad)]]
    assert np.mean(first) > 3 * len(bad) / len(examples)
    assert all(0 <= label.suspicion <= 1 for label in found.labels)
    assert {label.expected for label in found.labels} <= set(task.labels)
    assert (found.given, set(found.quality)) == ({"ann": 240}, {"ann"})
    sure, unsure = found.unlabelled(Outputs(np.array([[0.98, 0.01, 0.01], [0.34, 0.33, 0.33]])))
    assert 0 <= sure < unsure <= 1
    others = {id: {"bob": vote["ann"]} for id, vote in alone(examples).items()}
    again = run(examples, vectors, others, task=task)
    assert [label.id for label in again.labels] == [label.id for label in found.labels]
