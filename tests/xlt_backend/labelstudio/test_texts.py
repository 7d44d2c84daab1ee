"""The texts that a control is read with, and how a task's texts are found."""

from __future__ import annotations

import pytest

from tests.builders import region, task
from tests.xlt.tasks.samples import KEYS, labels_of
from xlt.data.examples import Example
from xlt.errors import ConfigError
from xlt.tasks.kinds import KINDS
from xlt.tasks.task import Suggestion
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.convert import Unusable, to_example, to_row
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.options import ProjectOptions

PREMISE = '<Text name="premise" value="$p"/>'
HYPOTHESIS = '<Text name="hypothesis" value="$h"/>'
NOTE = '<Text name="note" value="$n"/>'
FIXED = '<Text name="help" value="Read both."/>'
ADDRESS = '<Text name="page" value="$u" valueType="url"/>'


def pair(*texts: str, to: str = "premise,hypothesis") -> str:
    """An interface of these texts with a Choices about some of them."""
    choices = '<Choice value="yes"/><Choice value="no"/>'
    return f'<View>{"".join(texts)}<Choices name="c" toName="{to}">{choices}</Choices></View>'


BESIDE = {
    "both named": (pair(PREMISE, HYPOTHESIS), ("p", "h"), []),
    "named in another order": (pair(PREMISE, HYPOTHESIS, to="hypothesis,premise"), ("h", "p"), []),
    "second named": (
        pair(PREMISE, HYPOTHESIS, to="hypothesis"),
        ("p", "h"),
        ["read too: 'premise'"],
    ),
    "first named": (
        pair(PREMISE, HYPOTHESIS, to="premise"),
        ("p", "h"),
        ["read too: 'hypothesis'"],
    ),
    "order of the page": (pair(HYPOTHESIS, PREMISE, to="premise"), ("h", "p"), ["read too"]),
    "a third is the context": (
        pair(PREMISE, HYPOTHESIS, NOTE),
        ("n", "p", "h"),
        ["read too: 'note'"],
    ),
    "two others": (
        pair(PREMISE, HYPOTHESIS, NOTE, to="note"),
        ("n",),
        ["not read: 'premise'", "not read: 'hypothesis'"],
    ),
    "fixed text": (pair(PREMISE, FIXED, to="premise"), ("p",), ["not read: 'help'"]),
    "text elsewhere": (pair(PREMISE, ADDRESS, to="premise"), ("p",), ["not read: 'page'"]),
    "the same text again": (
        pair(PREMISE, '<Text name="again" value="$p"/>', to="premise"),
        ("p",),
        ["not read: 'again'"],
    ),
}


@pytest.mark.parametrize(("config", "keys", "notes"), BESIDE.values(), ids=list(BESIDE))
def test_texts_of_the_interface(config: str, keys: tuple[str, ...], notes: list[str]) -> None:
    """Those that toName names are read, and the other one if there is exactly one."""
    found = Interface.from_label_config(config)

    assert found.text_keys == keys
    lines = [note for note in found.notes if ": <Text" in note]
    assert len(lines) == len(notes)
    for line, part in zip(lines, notes, strict=True):
        verb, _, name = part.partition(": ")
        assert line.startswith(f"{verb}: <Text name={name}")
    assert len(found.tag.texts) == len(keys)


@pytest.mark.parametrize(
    ("texts", "keys"),
    [
        (["premise"], ("p",)),
        (["premise", "hypothesis"], ("p", "h")),
        (["hypothesis", "premise"], ("h", "p")),
        (["note", "premise", "hypothesis"], ("n", "p", "h")),
    ],
)
def test_option_chooses_the_texts(texts: list[str], keys: tuple[str, ...]) -> None:
    """In its order; the others are named."""
    options = ProjectOptions.from_extra_params({"texts": texts})
    found = Interface.from_options(pair(PREMISE, HYPOTHESIS, NOTE, to="premise"), options)

    assert found.text_keys == keys
    unread = [note for note in found.notes if note.startswith("not read")]
    assert len(unread) == 3 - len(keys)


REFUSED = {
    "unknown": (["premise", "nothing"], "'nothing', which the option `texts` names"),
    "unreadable": (["premise", "help"], "cannot be read with <Text name='help'> with a fixed text"),
    "what the control is about": (["note"], "about 'premise', which the option `texts` leaves out"),
    "too many": (["premise", "hypothesis", "note", "more"], "4 texts; xlt reads at most 3"),
}


@pytest.mark.parametrize(("texts", "why"), REFUSED.values(), ids=list(REFUSED))
def test_option_that_cannot_be_followed(texts: list[str], why: str) -> None:
    """The reason names what was asked for."""
    more = '<Text name="more" value="$m"/>'
    config = pair(PREMISE, HYPOTHESIS, NOTE, FIXED, more, to="premise")
    with pytest.raises(UnsupportedConfigError) as caught:
        Interface.from_options(config, ProjectOptions(texts=tuple(texts)))
    assert why in str(caught.value)


@pytest.mark.parametrize("to", ["premise,nothing", "nothing", "premise,premise"])
def test_control_about_what_is_not_there(to: str) -> None:
    """It cannot be learned."""
    with pytest.raises(UnsupportedConfigError, match="not about objects of the interface"):
        Interface.from_label_config(pair(PREMISE, to=to))


def test_field_takes_the_place_of_all_texts() -> None:
    """The option `text_field` names the one text that is read, as before there were pairs."""
    found = Interface.from_options(pair(PREMISE, HYPOTHESIS), ProjectOptions(text_field="body"))
    assert found.text_keys == ("body",)


INTERFACE = Interface.from_label_config(pair(PREMISE, HYPOTHESIS))


def test_example_of_two_texts() -> None:
    """Both in the order of the interface."""
    found = to_example(task(p="It rains.", h="It is wet."), INTERFACE, ProjectOptions())
    assert found == Example(id="7", texts=("It rains.", "It is wet."), lang="en")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"p": "It rains."}, "no text: task data has no 'h'"),
        ({"h": "It is wet."}, "no text: task data has no 'p'"),
        ({"p": " ", "h": "It is wet."}, "no text: 'p' is empty"),
        ({"p": "It rains.", "h": 3}, "no text: 'h' is of type int, expected a string"),
        ({"$undefined$": "It rains."}, "no text: task data has no 'p'"),
    ],
)
def test_half_a_pair_is_unusable(data: dict[str, object], why: str) -> None:
    """The reason names the text that is missing."""
    assert to_example(task(**data), INTERFACE, ProjectOptions()) == Unusable(id="7", reason=why)


def test_prediction_is_about_the_first_object() -> None:
    """Label Studio accepts one name, and the answer is read back whatever it is."""
    row = to_row(7, INTERFACE, score=0.5, suggestion=Suggestion(answer="yes", confidence=0.9))
    assert row.result[0]["to_name"] == "premise"
    assert INTERFACE.answer(row.result) == "yes"
    of_both = region("no", control="c") | {"to_name": "premise,hypothesis"}
    assert INTERFACE.answer([of_both]) == "no"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in KEYS])
@pytest.mark.parametrize("keys", [("premise", "hypothesis"), ("a.b", "c[0]"), ("body",)])
def test_ready_interface_about_other_texts(kind: str, keys: tuple[str, ...]) -> None:
    """All are read in their order, for spans the last; the control names one, as it must."""
    found = Interface.from_label_config(template(kind, labels_of(kind), keys))
    if kind == "spans":
        assert (found.tag.texts, found.text_keys) == (found.tag.objects, keys[-1:])
        assert [note.partition(":")[0] for note in found.notes] == ["not read"] * (len(keys) - 1)
        return
    assert (found.kind.name, found.text_keys) == (kind, keys)
    assert found.tag.objects == found.tag.texts[-1:]
    assert [note.partition(":")[0] for note in found.notes] == ["read too"] * (len(keys) - 1)


@pytest.mark.parametrize("keys", [("a", "a"), ("a.b", "a_b"), ("a", "b", "c"), ("", "a")])
def test_ready_interface_about_too_many_texts(keys: tuple[str, ...]) -> None:
    """Names of tags must differ."""
    with pytest.raises(ConfigError, match="one or two different keys"):
        template("single_label", ("one", "two"), keys)


def test_control_that_names_two_texts_is_warned_of() -> None:
    """Label Studio's page loses what a person chooses then; one name is enough for xlt."""
    [note] = Interface.from_label_config(pair(PREMISE, HYPOTHESIS)).notes
    assert "toName='premise,hypothesis'" in note
    assert note.endswith("name one of them in toName")
