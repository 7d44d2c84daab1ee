"""Labelling interfaces to paste: one file for each kind of task, written by its control."""

from pathlib import Path

import pytest

from xlt.tasks.kinds import KINDS
from xlt_backend.labelstudio.interface import template

FOLDER = Path(__file__).parents[2] / "label_config"
COMMENT = "<!-- {} `lang` in the task data is shown as a badge. -->\n"
LABELS = ("First label", "Second label", "Third label")
CHOICES = "Replace the choices by your labels."
#: Kind -> labels of its file, and what people change in it.
FILLED = {
    "rating": (("5",), "Set maxRating to your number of stars."),
    "pairwise": (("left", "right"), "Show the keys of your texts. A third Text is the context."),
    "taxonomy": (
        ("Branch / First leaf", "Branch / Second leaf", "Third leaf"),
        "Replace the choices by your tree.",
    ),
    "spans": (LABELS, "Replace the labels by your own."),
    "multi_task": (
        (*(f"topic: {label}" for label in LABELS), *(f"stars: {n}" for n in range(1, 6))),
        "Replace the controls by yours: any that xlt learns, about the same Text.",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_the_template_of_the_kind(kind):
    """What people paste is what `xlt connect --kind` and the demo make."""
    labels, change = FILLED.get(kind, (LABELS, CHOICES))
    expected = COMMENT.format(change) + template(kind, labels) + "\n"
    assert (FOLDER / f"{kind}.xml").read_text("utf-8") == expected


def test_the_file_about_a_pair_of_texts():
    """It is what `xlt connect --texts premise,hypothesis` makes."""
    config = template("single_label", LABELS, ("premise", "hypothesis"))
    assert (FOLDER / "pair.xml").read_text("utf-8") == COMMENT.format(CHOICES) + config + "\n"


def test_every_file_belongs_to_a_kind():
    """No interface is left over that xlt does not learn."""
    assert {path.stem for path in FOLDER.iterdir()} == {*KINDS, "pair"}
