"""Renames on the command line of `xlt connect`."""

from __future__ import annotations

import pytest

from xlt.errors import ConfigError
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.setup.renames import added, parse_renames

LABELS = ("Sport", "a=b", "Café")


@pytest.mark.parametrize(
    ("arguments", "renames"),
    [
        ([], {}),
        (["Sports=Sport", "Rumours="], {"Sports": "Sport", "Rumours": ""}),
        ([" Sports = Sport "], {"Sports": "Sport"}),
        (["x=y=a=b", "x=Sport"], {"x=y": "a=b", "x": "Sport"}),
        (["Caffe=Cafe\u0301"], {"Caffe": "Café"}),
        (["Sports=Unknown"], {"Sports": "Unknown"}),
    ],
)
def test_renames_are_read(arguments: list[str], renames: dict[str, str]) -> None:
    """Labels may hold an equals sign; they are written as the interface writes them."""
    assert parse_renames(arguments, LABELS) == renames


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Sports"], "--rename must be OLD=NEW, got 'Sports'"),
        (["Sports=Sport", "Sports="], "'Sports' is renamed twice"),
    ],
)
def test_arguments_that_say_nothing_are_refused(arguments: list[str], words: str) -> None:
    """The line has the argument."""
    with pytest.raises(ConfigError, match=words):
        parse_renames(arguments, LABELS)


def test_kinds_whose_labels_are_not_followed() -> None:
    """It is said instead of kept without effect; nothing told is nothing refused."""
    rating = Interface.from_label_config(
        '<View><Text name="text" value="$text"/><Rating name="stars" toName="text"/></View>'
    )
    with pytest.raises(ConfigError, match="'stars' is of the kind rating, for which"):
        added(rating, {}, {"6": "5"})
    assert added(rating, {}, {}) == {}
