"""Task JSON of Label Studio to examples, and predictions to what its validator accepts."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface.interface import LabelInterface

from tests.builders import CHOICES, annotation, region, task
from xlt.data.examples import UNKNOWN_LANGUAGE, Example
from xlt.data.label_names import canonical
from xlt.tasks import choices
from xlt.tasks.task import Agreement, Suggestion
from xlt_backend.labelstudio.convert import (
    Unusable,
    Votes,
    to_example,
    to_row,
    votes_of,
)
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.labelstudio.scores import rank_to_score, uncertainty_to_score
from xlt_backend.options import ProjectOptions

INTERFACE = Interface.from_label_config(CHOICES)
OPTIONS = ProjectOptions()


def example(*annotations: dict[str, Any], **data: Any) -> Example:
    """The example of a usable task."""
    found = to_example(task(*annotations, **data), INTERFACE, OPTIONS)
    assert isinstance(found, Example)
    return found


# Texts --------------------------------------------------------------------------------------


def test_task_becomes_an_example() -> None:
    """Id, text, language and label come from where Label Studio has them."""
    assert example(annotation("sport")) == Example(
        id="7", texts=("A long walk.",), lang="en", answer="sport"
    )


def test_options_name_the_fields() -> None:
    """Text, language and group are read from the fields that the options name."""
    options = ProjectOptions(text_field="body", language_field="sprache", group_field="source")
    interface = Interface.from_options(CHOICES, options)
    found = to_example(task(body="Ein Weg.", sprache="de", source=12), interface, options)
    assert found == Example(id="7", texts=("Ein Weg.",), lang="de", group="12")


def test_fields_inside_other_fields() -> None:
    """Language and group are looked up as the text is."""
    options = ProjectOptions(text_field="doc.body", language_field="doc.lang", group_field="ids[0]")
    interface = Interface.from_options(CHOICES, options)
    found = to_example(task(doc={"body": "Ein Weg.", "lang": "de"}, ids=[12]), interface, options)
    assert found == Example(id="7", texts=("Ein Weg.",), lang="de", group="12")


@pytest.mark.parametrize("value", [12, 12.0, "12", " 12 "], ids=repr)
def test_numbers_of_groups_are_equal_however_they_are_written(value: object) -> None:
    """Label Studio reads CSV with pandas, which makes floats where a number is missing."""
    found = to_example(task(ids=value), INTERFACE, ProjectOptions(group_field="ids"))
    assert isinstance(found, Example)
    assert found.group == "12"


@pytest.mark.parametrize(
    "lang", [None, "", "  ", ["en"], True, "NaN", "null", "<NA>", "\u200b", float("nan")]
)
def test_language_that_is_not_said(lang: object) -> None:
    """Without a usable language the example says so; finding it out is for others."""
    assert example(lang=lang).lang == UNKNOWN_LANGUAGE


UNUSABLE = {
    "absent": (None, "has no 'text'"),
    "number": (12, "type int"),
    "list": (["a"], "type list"),
    "empty": ("", "is empty"),
    "blank": (" \n\t", "is empty"),
    "invisible": ("\u200b \ufeff", "is empty"),
    "placeholder": ("$undefined$", "is empty"),
    "web address": ("https://example.org/a.txt", "address"),
    "bucket": (" s3://bucket/folder/text-1.txt ", "address"),
    "azure": ("azure-blob://container/x", "address"),
    "upload": ("/data/upload/3/abc.txt", "address"),
    "local file": ("/data/local-files/?d=a.txt", "address"),
}


@pytest.mark.parametrize(("text", "why"), UNUSABLE.values(), ids=list(UNUSABLE))
def test_unusable_texts(text: object, why: str) -> None:
    """A task without a text in it is unusable, for a reason that people understand."""
    found = to_example(task(annotation("sport"), text=text), INTERFACE, OPTIONS)
    assert isinstance(found, Unusable)
    assert found.id == "7"
    assert why in found.reason


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_data_that_is_no_object(data: object) -> None:
    """A task whose data is not an object is unusable, not an error."""
    found = to_example({"id": 3, "data": data}, INTERFACE, OPTIONS)
    assert isinstance(found, Unusable)


def test_addresses_within_a_text_are_text() -> None:
    """Only a text that is nothing but an address is refused."""
    assert example(text="see https://example.org and s3://x").answer is None


def test_plain_text_import() -> None:
    """Label Studio keeps the lines of a text file under `$undefined$`."""
    found = to_example({"id": 1, "data": {"$undefined$": "A line."}}, INTERFACE, OPTIONS)
    assert isinstance(found, Example)
    assert found.text == "A line."


def test_nested_text() -> None:
    """`$article.body` reaches into nested data."""
    config = CHOICES.replace("$text", "$article.body")
    data = {"article": {"body": "Deep."}}
    found = to_example({"id": 1, "data": data}, Interface.from_label_config(config), OPTIONS)
    assert isinstance(found, Example)
    assert found.text == "Deep."


@given(st.text(st.characters(), min_size=1))
def test_any_text_can_be_encoded(text: str) -> None:
    """Texts are legal Unicode afterwards: lone surrogates, legal in JSON, are replaced."""
    found = to_example(task(text=text), INTERFACE, OPTIONS)
    if isinstance(found, Example):
        found.text.encode()


# Labels -------------------------------------------------------------------------------------


def votes(*annotations: dict[str, Any]) -> Votes:
    """The votes of a task with these annotations."""
    return votes_of(task(*annotations), INTERFACE)


def agreement(votes: Votes) -> Agreement:
    """What the votes say together."""
    return INTERFACE.task.agree(votes.answers) if votes.answers else Agreement()


def label(*annotations: dict[str, Any]) -> str | None:
    """The label that these annotations agree on."""
    return agreement(votes(*annotations)).answer


def test_one_annotator() -> None:
    """One answer counts fully."""
    found = votes(annotation("sport"))
    assert found == Votes(answers={"1": "sport"})
    assert agreement(found) == Agreement(answer="sport", weight=1.0)


def test_majority_wins_with_its_share() -> None:
    """Of several annotators the majority counts, with its share as weight."""
    given = [annotation("sport", by=1), annotation("sport", by=2), annotation("health", by=3)]
    found = votes(*given)
    assert found == Votes(answers={"1": "sport", "2": "sport", "3": "health"})
    assert agreement(found) == Agreement(answer="sport", weight=pytest.approx(2 / 3))


def test_ties_have_no_label() -> None:
    """Annotators who disagree evenly give no label."""
    found = votes(annotation("sport", by=1), annotation("health", by=2))
    assert found == Votes(answers={"1": "sport", "2": "health"})
    assert agreement(found) == Agreement(answer=None, reason="annotators disagree")


def test_one_vote_per_annotator() -> None:
    """Somebody who annotated twice has one vote, the later one."""
    old = annotation("sport", id=1, updated_at="2026-11-22T08:00:00Z")
    new = annotation("health", id=2, updated_at="2026-11-22T09:00:00Z")
    assert label(new, old) == "health"


def test_annotators_as_objects_or_unknown() -> None:
    """`completed_by` may be an object, or absent: then each annotation is somebody else's."""
    twice = [annotation("sport", by={"id": 4}), annotation("sport", by={"id": 4})]
    assert label(*twice, annotation("health", by=5)) is None
    lost = [annotation("sport", by=None, id=i) for i in (1, 2)]
    assert label(*lost, annotation("health", by=5)) == "sport"


def test_ground_truth_wins() -> None:
    """An answer marked as ground truth counts alone."""
    found = votes(
        annotation("sport", by=1),
        annotation("sport", by=2),
        annotation("health", by=3, ground_truth=True),
    )
    assert found == Votes(answers={"3": "health"}, ground_truth=True)
    assert agreement(found) == Agreement(answer="health", weight=1.0)


def test_skips_are_no_labels() -> None:
    """A skip does not count, not even with a result in it; only skips mean skipped."""
    skipped = annotation("sport", by=1, was_cancelled=True)
    assert votes(skipped).reason == "skipped"
    assert label(skipped, annotation("health", by=2)) == "health"


def test_machine_made_annotations_are_no_labels() -> None:
    """What "Create Annotations From Predictions" made counts only after somebody worked on it."""
    made = annotation("sport", parent_prediction=55, lead_time=None)
    assert votes(made).reason == "annotated by the machine only"
    assert label({**made, "lead_time": 4.1}) == "sport"


def test_unedited_suggestion_that_was_submitted_counts() -> None:
    """Accepting a suggestion is an answer."""
    assert label(annotation("sport", parent_prediction=55, lead_time=1.4)) == "sport"


def test_drafts_are_ignored() -> None:
    """What was not submitted is not there."""
    found = votes_of({**task(), "drafts": [annotation("sport")]}, INTERFACE)
    assert found == Votes(reason="not annotated")


def test_unknown_labels_are_named() -> None:
    """A label that the interface does not have (any more) is none, and the reason says which."""
    assert votes(annotation("weather")).reason == "unknown label 'weather'"
    assert label(annotation("weather", by=1), annotation("sport", by=2)) == "sport"


BROKEN = {
    "none": None,
    "text": "sport",
    "no value": [{"from_name": "label"}],
    "value of another kind": [{"from_name": "label", "value": "sport"}],
    "two labels": [{**region("sport"), "value": {"choices": ["sport", "health"]}}],
    "no label": [{**region("sport"), "value": {"choices": []}}],
    "a string": [{**region("sport"), "value": {"choices": "sport"}}],
    "a number": [region(3)],
    "another control": [region("sport", control="tone")],
    "no region": ["sport", None],
}


@pytest.mark.parametrize("result", BROKEN.values(), ids=list(BROKEN))
def test_results_without_an_answer(result: object) -> None:
    """A result that does not answer the question is no label and no error."""
    found = votes(annotation("sport") | {"result": result})
    assert (found.answers, found.reason) == ({}, found.unused[0])
    assert agreement(found).answer is None


# Predictions --------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.data())
def test_rank_to_score_keeps_the_order(n: int, data: st.DataObject) -> None:
    """Scores are in (0, 1), lower = sooner, distinct for distinct ranks."""
    one, other = (data.draw(st.integers(0, n - 1)) for _ in range(2))
    assert 0 < rank_to_score(one, n) < 1
    assert (rank_to_score(one, n) < rank_to_score(other, n)) == (one < other)


@pytest.mark.parametrize(("rank", "n"), [(-1, 3), (3, 3), (0, 0)])
def test_rank_out_of_the_queue(rank: int, n: int) -> None:
    """A rank that the queue does not have is a bug, not a score."""
    with pytest.raises(ValueError, match="rank must be in"):
        rank_to_score(rank, n)


def test_unsure_tasks_come_first() -> None:
    """The direction turns round here, and nowhere else."""
    assert uncertainty_to_score(0.9) < uncertainty_to_score(0.1)


LABELS = st.lists(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1
    ).filter(lambda text: text == " ".join(text.split()) and not text.startswith("$")),
    min_size=2,
    max_size=12,
    unique_by=canonical,
)


@given(LABELS, st.floats(0, 1), st.floats(0, 1, exclude_max=True), st.data())
def test_what_is_published_is_valid(
    labels: list[str], confidence: float, score: float, data: st.DataObject
) -> None:
    """Label Studio's own validator accepts every prediction, in every script."""
    config = template("single_label", labels)
    interface = Interface.from_label_config(config)
    label = data.draw(st.sampled_from(labels))
    suggestion = Suggestion(answer=label, confidence=confidence)
    row = to_row(3, interface, score=score, suggestion=suggestion)
    assert row.answer == label
    assert row.result == [choices.result([label], confidence, interface.tag)]
    sent = {"result": row.result, "score": row.score, "model_version": "v1"}
    assert LabelInterface(config).validate_prediction(sent, return_errors=True) == []


@pytest.mark.parametrize(
    ("label", "confidence"), [(None, 0.5), ("weather", 0.5), ("sport", float("nan"))]
)
def test_nothing_to_suggest(label: str | None, confidence: float) -> None:
    """Without a label of the interface the task keeps its place and has no suggestion."""
    suggestion = None if label is None else Suggestion(answer=label, confidence=confidence)
    row = to_row(3, INTERFACE, score=0.25, suggestion=suggestion)
    assert (row.task_id, row.score, row.result, row.answer) == (3, 0.25, [], None)


def test_published_label_reads_back() -> None:
    """What is published and accepted unchanged is read as that label."""
    result = INTERFACE.results(Suggestion(answer="travel", confidence=0.7))
    assert label(annotation() | {"result": result}) == "travel"


@pytest.mark.parametrize("kind", ["single_label", "multi_label"])
def test_labels_are_published_as_the_interface_writes_them(kind: str) -> None:
    """Byte for byte, also if the model learned another form of the same label."""
    composed, decomposed = "Thể thao", unicodedata.normalize("NFD", "Thể thao")
    config = template(kind, [decomposed, "other"])
    interface = Interface.from_label_config(config)
    answer = composed if kind == "single_label" else (composed,)
    row = to_row(3, interface, score=0.5, suggestion=Suggestion(answer=answer, confidence=0.5))
    assert row.result[0]["value"]["choices"] == [decomposed]
    assert row.answer == (decomposed if kind == "single_label" else [decomposed])
    sent = {"result": row.result, "score": row.score, "model_version": "v1"}
    assert LabelInterface(config).validate_prediction(sent, return_errors=True) == []


def test_votes_for_labels_that_look_the_same_agree() -> None:
    """Two annotators whose choices differ in bytes alone have one answer, the interface's."""
    config = template("single_label", ["Thể thao", "other"])
    interface = Interface.from_label_config(config)
    given = [
        annotation(unicodedata.normalize(form, "Thể thao"), by=who, id=who)
        for who, form in enumerate(("NFC", "NFD"), start=1)
    ]
    found = votes_of(task(*given), interface)
    assert set(found.answers.values()) == {"Thể thao"}
    assert found.unused == ()
