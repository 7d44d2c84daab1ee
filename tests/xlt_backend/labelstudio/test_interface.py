"""Which labelling interfaces xlt learns, and what it says of the others."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import CHOICES
from xlt.data.label_names import canonical
from xlt.tasks.task import Suggestion
from xlt_backend.errors import UnsupportedConfigError
from xlt_backend.labelstudio.interface import Interface, template

TEXT = '<Text name="text" value="$text"/>'
TWO = '<Choice value="A"/><Choice value="B"/>'


def view(*tags: str) -> str:
    """An interface of these tags."""
    return f"<View>{''.join(tags)}</View>"


def choices(inside: str = TWO, name: str = "label", to: str = "text", more: str = "") -> str:
    """A Choices control."""
    return f'<Choices name="{name}" toName="{to}" {more}>{inside}</Choices>'


def test_plain_interface() -> None:
    """Names, labels in their order and the key of the text are read."""
    found = Interface.from_label_config(CHOICES)
    assert (found.tag.name, found.tag.objects, found.text_keys) == ("label", ("text",), ("text",))
    assert found.task.labels == ("health", "sport", "travel")
    assert found.notes == ()
    assert found.task.kind == "single_label"


def test_alias_is_the_label() -> None:
    """A choice with an alias is stored by its alias; hotkeys and hints change nothing."""
    inside = '<Choice value="Good news" alias="pos" hotkey="1"/><Choice value="neg" hint="bad"/>'
    assert Interface.from_label_config(view(TEXT, choices(inside))).task.labels == ("pos", "neg")


INNER = (
    '<Choice value="Animal"><Choice value="Dog"/><Choice value="Cat" alias="cat"/></Choice>'
    '<View><Choice value="Plant"><Choice value="Other"/></Choice></View>'
    '<Choice value="Stone"/><Choice value="Thing"><Choice value="Other"/></Choice>'
)


def test_choices_inside_choices_are_no_labels() -> None:
    """The page never shows them, though Label Studio's SDK lists them."""
    found = Interface.from_label_config(view(TEXT, choices(INNER)))
    assert found.task.labels == ("Animal", "Plant", "Stone", "Thing")
    assert found.tag.paths == ()


def test_leaves_of_a_tree_are_the_labels() -> None:
    """With `allowNested`; two of the same name are told apart by their paths."""
    found = Interface.from_label_config(view(TEXT, choices(INNER, more='allowNested="true"')))
    assert found.task.kind == "single_label"
    assert found.task.labels == ("Dog", "cat", "Plant / Other", "Stone", "Thing / Other")
    assert found.tag.paths[:2] == (("Animal", "Dog"), ("Animal", "cat"))
    for label in found.task.labels:
        results = found.results(Suggestion(answer=label, confidence=0.5))
        assert results
        assert found.answer(results) == label
    dog = found.results(Suggestion(answer="Dog", confidence=0.5))
    assert dog is not None
    assert dog[0]["value"] == {"choices": [["Animal", "Dog"]]}


def test_choices_deep_in_views_and_other_tags() -> None:
    """Where control and text stand in the tree does not matter; other tags are no obstacle."""
    deep = view("<Header value='$lang'/>", f"<View><View>{TEXT}</View></View>", choices())
    assert Interface.from_label_config(deep).text_keys == ("text",)


@pytest.mark.parametrize("name", ["tags", "topic", "tone"])
def test_option_chooses_the_control(name: str) -> None:
    """Of whatever kind and wherever it stands; the others are named as not learned."""
    several = view(
        TEXT,
        choices(name="topic"),
        choices(name="tags", more='choice="multiple"'),
        choices(name="tone"),
    )
    found = Interface.from_label_config(several, [name])

    assert found.tag.name == name
    assert found.task.kind == ("multi_label" if name == "tags" else "single_label")
    left = {"tags", "topic", "tone"} - {name}
    assert {other for other in left if repr(other) in " ".join(found.notes)} == left


@pytest.mark.parametrize("name", ["why", "nothing", ""])
def test_option_that_names_no_usable_control(name: str) -> None:
    """It is refused with the names that there are; nothing else is learned in its place."""
    several = view(TEXT, choices(name="topic"), '<TextArea name="why" toName="text"/>')
    with pytest.raises(UnsupportedConfigError, match=f"control={name!r}.*it learns 'topic'"):
        Interface.from_label_config(several, [name])


REFUSED = {
    "empty": ("", "is empty"),
    "no xml": ("<View><Text", "cannot be read"),
    "no control": (view(TEXT), "no control"),
    "control of nothing": (view(choices()), "no control|object|cannot be read"),
    "relations": (view(TEXT, '<Relations><Relation value="of"/></Relations>'), "no control"),
    "another choice": (view(TEXT, choices(more='choice="ranked"')), "choice='ranked'"),
    "per region": (view(TEXT, choices(more='perRegion="true"')), "perRegion"),
    "per item": (view(TEXT, choices(more='perItem="true"')), "perItem"),
    "tree of several": (
        view(TEXT, choices(more='choice="multiple" allowNested="true"')),
        "tree of which several choices may be chosen",
    ),
    "only inner choices": (
        view(TEXT, choices(f'<Choice value="Top">{TWO}</Choice>')),
        r"fewer than two labels: \['Top'\]",
    ),
    "conditional": (view(TEXT, choices(more='visibleWhen="choice-selected"')), "visibleWhen"),
    "in a conditional view": (
        view(TEXT, f'<View visibleWhen="choice-selected">{choices()}</View>'),
        "visibleWhen",
    ),
    "from the task": (view(TEXT, choices("", more='value="$options"')), "from the task"),
    "one label": (view(TEXT, choices('<Choice value="A"/>')), "fewer than two"),
    "same label twice": (
        view(TEXT, choices('<Choice value="A"/><Choice value="A"/>')),
        "fewer than two",
    ),
    "labels that look the same": (
        view(
            TEXT,
            choices('<Choice value="Go"/><Choice value="Thể"/><Choice value="The\u0302\u0309"/>'),
        ),
        "two labels that look the same",
    ),
    "image": (view('<Image name="text" value="$image"/>', choices()), "<Image>"),
    "text elsewhere": (
        view('<Text name="text" value="$text" valueType="url"/>', choices()),
        "elsewhere",
    ),
    "encoded": (view('<Text name="text" value="$text" encoding="base64"/>', choices()), "encoded"),
    "text of parts": (
        view('<Text name="text" value="Title: $title"/>', choices()),
        "one variable, value='\\$key'",
    ),
    "fixed text": (view('<Text name="text" value="Always this"/>', choices()), "fixed text"),
}


@pytest.mark.parametrize(("config", "why"), REFUSED.values(), ids=list(REFUSED))
def test_refused(config: str, why: str) -> None:
    """What xlt does not learn is refused with the reason and with what is supported."""
    with pytest.raises(UnsupportedConfigError, match=why) as caught:
        Interface.from_label_config(config)
    assert "supported: one label per text" in str(caught.value)


def test_shipped_interface() -> None:
    """The interface in label_config/ is learned, has hotkeys, and shows the language."""
    config = template("single_label", ["health", "sport & play", 'the "best"', "<tag>"])
    found = Interface.from_label_config(config)
    assert found.task.labels == ("health", "sport & play", 'the "best"', "<tag>")
    assert found.notes == ()
    assert 'hotkey="1"' in config
    assert "$lang" in config


XML_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1
).filter(lambda text: text == " ".join(text.split()) and not text.startswith("$"))


@given(st.lists(XML_TEXT, min_size=2, max_size=30, unique_by=canonical))
def test_any_label_survives(labels: list[str]) -> None:
    """Labels in any script come back from the interface exactly as they went in."""
    assert Interface.from_label_config(template("single_label", labels)).task.labels == tuple(
        labels
    )
    assert all(quoteattr(label) in template("single_label", labels) for label in labels)
