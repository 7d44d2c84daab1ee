"""Examples: their texts and their group."""

from __future__ import annotations

import pytest

from xlt.data.examples import Example
from xlt.errors import DataError


def test_an_example_has_a_text():
    """One at least; several are read together."""
    one, two = Example(id="1", texts=("a",)), Example(id="2", texts=("a", "b"))
    assert (one.text, one.input) == ("a", "a")
    assert (two.text, two.input) == ("a\nb", ("a", "b"))
    with pytest.raises(DataError, match="example '3' has no text"):
        Example(id="3", texts=())


def test_an_example_without_a_group_is_one():
    """No other example has its key, not even one whose group is named like its id."""
    keys = [Example(id=id, texts=("a",), group=g).group_key for id, g in (("1", None), ("2", "1"))]
    assert len(set(keys)) == 2
    assert Example(id="3", texts=("a",), group="1").group_key == keys[1]


def test_digest_is_of_the_texts_alone():
    """Nothing else has a part in it; how texts are split has."""
    one = Example(id="1", texts=("Ẹ káàárọ̀", "b"), answer="x")

    assert one.digest == Example(id="2", texts=("Ẹ káàárọ̀", "b"), lang="yo").digest
    others = [("Ẹ káàárọ̀b",), ("Ẹ káàárọ̀\nb",), ("Ẹ káàárọ̀",), ("b", "Ẹ káàárọ̀")]
    digests = {Example(id="1", texts=texts).digest for texts in others}
    assert len(digests | {one.digest}) == 5
