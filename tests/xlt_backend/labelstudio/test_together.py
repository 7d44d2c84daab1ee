"""Several controls of one interface: which are learned together, and how they are read."""

from __future__ import annotations

import pytest

from tests.builders import annotation, region, task
from tests.xlt_backend.labelstudio.test_interface import TEXT, choices, view
from xlt.data.by_control import ByControl
from xlt.tasks.task import Suggestion
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.convert import first_used, to_example, votes_of
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.options import ProjectOptions

TOPIC = choices(name="topic")
TAGS = choices('<Choice value="new"/><Choice value="old"/>', name="tags", more='choice="multiple"')
STARS = '<Rating name="stars" toName="text" maxRating="3"/>'
WHEN = 'visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="A"'
GAME = choices('<Choice value="ball"/><Choice value="board"/>', name="game", more=WHEN)
ALL = Interface.from_label_config(view(TEXT, TOPIC, STARS, TAGS, GAME))


def stars(count: int) -> dict:
    """A result of the rating."""
    return {"from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": count}}


def tags(*chosen: str) -> dict:
    """A result of the control of which any may be chosen."""
    return region("x", control="tags") | {"value": {"choices": list(chosen)}}


def of(**answers) -> ByControl:
    """Answers by control."""
    return ByControl.of(answers)


def test_all_controls_about_the_same_text_are_learned() -> None:
    """In the order of the interface, with the conditions under which they are shown."""
    assert ALL.task.kind == "multi_task"
    assert [part.name for part in ALL.task.parts] == ["topic", "stars", "tags", "game"]
    assert [len(part.conditions) for part in ALL.task.parts] == [0, 0, 0, 1]
    assert ALL.notes == ()
    assert ALL.labels == ("A", "B", "1", "2", "3", "new", "old", "ball", "board")


def test_one_control_is_a_task_of_its_kind() -> None:
    """Whether the interface has no other, or the option names it alone."""
    assert Interface.from_label_config(view(TEXT, STARS)).task.kind == "rating"
    one = Interface.from_label_config(view(TEXT, TOPIC, STARS), ["stars"])
    assert (one.task.kind, one.tag.name) == ("rating", "stars")
    assert one.notes == ("not learned: <Choices name='topic'>: the option `control` leaves it out",)


def test_the_option_names_several_controls() -> None:
    """Those are learned together, the others are left out."""
    two = Interface.from_label_config(view(TEXT, TOPIC, STARS, TAGS), ["tags", "topic"])
    assert [part.name for part in two.task.parts] == ["topic", "tags"]


LEFT_OUT = {
    "per region": (choices(name="x", more='perRegion="true"'), "is not asked once per text"),
    "dynamic": ('<Choices name="x" toName="text" value="$list"/>', "takes its labels from"),
    "from an address": (choices(name="x", more='apiUrl="http://a"'), "apiUrl"),
    "another kind": ('<TextArea name="x" toName="text"/>', "another kind of control"),
    "an image": (
        '<Image name="i" value="$i"/><Choices name="x" toName="i"><Choice value="A"/>'
        '<Choice value="B"/></Choices>',
        "a <Image>",
    ),
    "spans": ('<Labels name="x" toName="text"><Label value="A"/></Labels>', "a second one beside"),
    "another text": (
        f'<Text name="a" value="$a"/><Text name="b" value="$b"/>{choices(name="x", to="a,b")}',
        "is read with",
    ),
    "a region's choice": (
        choices(name="x", more='visibleWhen="region-selected"'),
        "region-selected",
    ),
    "any choice": (choices(name="x", more='visibleWhen="choice-selected"'), "whenTagName"),
    "the choice in one that is not learned": (
        choices(name="x", more='visibleWhen="choice-selected" whenTagName="stars"'),
        "is shown by a choice in 'stars', which is not learned",
    ),
}


@pytest.mark.parametrize(("more", "reason"), LEFT_OUT.values(), ids=list(LEFT_OUT))
def test_what_cannot_be_learned_is_left_out_and_the_others_are_learned(more, reason) -> None:
    """One clear line for it."""
    found = Interface.from_label_config(view(TEXT, TOPIC, STARS, more))
    assert [part.name for part in found.task.parts] == ["topic", "stars"]
    [note] = [note for note in found.notes if note.startswith("not learned: ")]
    assert "name='x'" in note
    assert reason in note


def test_a_condition_may_be_on_a_view_around_the_control() -> None:
    """All of them count; attributes are read in any case, as on Label Studio's page."""
    inner = f'<View visiblewhen="choice-unselected" whenTagName="topic">{STARS}</View>'
    found = Interface.from_label_config(view(TEXT, TOPIC, f"<View>{inner}</View>"))
    [condition] = found.task.parts[1].conditions
    assert (condition.control, condition.labels, condition.selected) == ("topic", (), False)


READ = {
    "all": (
        [region("A", control="topic"), stars(2), tags("new"), region("ball", control="game")],
        of(topic="A", stars=2, tags=("new",), game="ball"),
    ),
    "nothing chosen beside an answer": ([region("B", control="topic")], of(topic="B", tags=())),
    "a hidden control": (
        [region("B", control="topic"), region("ball", control="game")],
        of(topic="B", tags=()),
    ),
    "no result": ([], None),
    "another control": ([region("A", control="other")], None),
}


@pytest.mark.parametrize(("results", "answer"), READ.values(), ids=list(READ))
def test_an_annotation_is_read_control_by_control(results, answer) -> None:
    """What nobody filled in is missing; of a control for any choices, none is an answer."""
    assert ALL.answer(results, ("a text",)) == answer


def test_a_wrong_answer_to_one_control_does_not_lose_the_others() -> None:
    """It is counted with its reason."""
    given = annotation()
    given["result"] = [region("A", control="topic"), stars(7)]
    read = task(given, text="a text")
    votes = votes_of(read, ALL, ("a text",))
    assert list(votes.answers.values()) == [of(topic="A", tags=())]
    assert votes.unused == ("'stars': expected a number from 1 to 3 in steps of 1, got 7",)
    example = to_example(read, ALL, ProjectOptions())
    assert example.answer == of(topic="A", tags=())


def test_annotations_from_before_a_control_was_used_do_not_say_none() -> None:
    """It may have been added to the interface later: old answers teach nothing about it."""

    def given(day: int, *results: dict) -> dict:
        stamp = f"2026-11-{day:02}T10:00:00.000000Z"
        made = annotation(created_at=stamp, updated_at=stamp)
        return task(made | {"result": list(results)}, id=day, text="a text")

    topic = region("B", control="topic")
    tasks = [given(1, topic), given(3, topic, tags("new")), given(2, topic), given(4, topic)]
    used = first_used(tasks, ALL)
    assert used == {"topic": "2026-11-01T10:00:00.000000Z", "tags": "2026-11-03T10:00:00.000000Z"}
    read = [votes_of(one, ALL, ("a text",), used).answers.values() for one in tasks]
    none, new = of(topic="B", tags=()), of(topic="B", tags=("new",))
    assert [list(one) for one in read] == [[of(topic="B")], [new], [of(topic="B")], [none]]
    assert first_used(tasks, Interface.from_label_config(view(TEXT, TOPIC))) == {}


def test_one_prediction_has_the_regions_of_all_controls() -> None:
    """Each with its own confidence."""
    answer = of(topic="A", stars=2, tags=("new", "old"), game="ball")
    controls = {
        name: Suggestion(answer=own, confidence=0.1 * n) for n, (name, own) in enumerate(answer)
    }
    suggestion = Suggestion(answer=answer, confidence=0.5, controls=controls)
    results = ALL.results(suggestion, ("a text",))
    assert results is not None
    assert [(r["from_name"], r["score"]) for r in results] == [
        ("topic", pytest.approx(0.3)),
        ("stars", pytest.approx(0.1)),
        ("tags", pytest.approx(0.2)),
        ("game", 0.0),
    ]
    assert ALL.answer(results, ("a text",)) == answer


def test_a_suggestion_for_some_of_the_controls_is_shown() -> None:
    """The model does not know the others yet."""
    for answer in (of(stars=2), of(topic="B"), of(topic="A", tags=("new",))):
        results = ALL.results(Suggestion(answer=answer, confidence=0.5), ("a text",))
        assert results
        assert {r["from_name"] for r in results} == {name for name, _ in answer}


def test_a_former_control_is_not_suggested() -> None:
    """The interface was edited since the model was trained."""
    assert ALL.results(Suggestion(answer=of(other="A"), confidence=0.5), ("a text",)) is None


def test_weights_of_controls_come_from_the_options() -> None:
    """A name of no control that is learned is refused."""
    options = ProjectOptions.from_extra_params({"control_weights": {"stars": 2.5}})
    found = Interface.from_options(view(TEXT, TOPIC, STARS), options)
    assert [part.weight for part in found.task.parts] == [1.0, 2.5]
    with pytest.raises(UnsupportedConfigError, match="control_weights='mood'"):
        Interface.from_label_config(view(TEXT, TOPIC, STARS), weights={"mood": 1.0})
