"""Labelling interfaces to paste: one file for each kind of task, written by its control."""

from pathlib import Path

import pytest

from xlt.tasks.kinds import KINDS
from xlt_backend.labelstudio.interface import template

FOLDER = Path(__file__).parents[2] / "label_config"
COMMENT = (
    "<!-- Replace the choices by your labels. `lang` in the task data is shown as a badge. -->\n"
)
LABELS = ("First label", "Second label", "Third label")
#: Labels of kinds whose interface would not show its form with those.
OTHER_LABELS = {"taxonomy": ("Branch / First leaf", "Branch / Second leaf", "Third leaf")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_is_the_template_of_the_kind(kind):
    """What people paste is what `xlt connect --kind` and the demo make."""
    config = template(kind, OTHER_LABELS.get(kind, LABELS))
    assert (FOLDER / f"{kind}.xml").read_text("utf-8") == COMMENT + config + "\n"


def test_every_file_belongs_to_a_kind():
    """No interface is left over that xlt does not learn."""
    assert {path.stem for path in FOLDER.iterdir()} == set(KINDS)
