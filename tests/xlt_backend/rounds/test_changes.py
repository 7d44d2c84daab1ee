"""What changed in a project's labels: by id and text, not by id alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xlt_backend.rounds.changes import Changes, Label, compare, in_words, same_texts

LABELS = st.dictionaries(
    st.text("abc", max_size=2),
    st.builds(Label, st.sampled_from("xy"), st.sampled_from(["", "one", "two"])),
)


def kinds(changes: Changes) -> list[set[str]]:
    """The tasks of each kind."""
    return [set(changes.new), set(changes.corrected), set(changes.replaced), set(changes.gone)]


@given(LABELS, LABELS)
def test_every_difference_is_one_change(before, after):
    """Each task is in one kind at most; in one exactly if its label or text differs."""
    found = kinds(compare(before, after))
    differ = {
        id
        for id in before.keys() | after.keys()
        if id not in before
        or id not in after
        or before[id].answer != after[id].answer
        or not same_texts(before[id].digest, after[id].digest)
    }

    assert sum(map(len, found)) == len(set.union(*found)) == compare(before, after).total
    assert set.union(*found) == differ


@given(LABELS, LABELS)
def test_changes_are_symmetric(before, after):
    """What is new one way is gone the other way; nothing differs from itself."""
    there, back = compare(before, after), compare(after, before)

    assert (set(there.new), set(there.gone)) == (set(back.gone), set(back.new))
    assert set(there.replaced) == set(back.replaced)
    assert set(there.corrected) == set(back.corrected)
    assert compare(before, before).total == 0


def test_another_text_under_an_old_id_is_a_change():
    """Whether its label is the same or another one; an unknown text may be the same one."""
    before = {"1": Label("a", "old"), "2": Label("a", "old"), "3": Label("a"), "4": Label("a")}
    after = {id: Label("b" if id in "24" else "a", "new") for id in before}

    assert compare(before, after) == Changes(corrected=("4",), replaced=("1", "2"))


def test_changes_in_words():
    """Every kind that there is, with its number."""
    changes = Changes(new=("1",), replaced=("2", "3"), gone=tuple(map(str, range(200))))
    value = changes.to_json()

    assert in_words(value) == (
        "1 new label, 2 labels of other texts than before under the same ids, 200 labels gone"
    )
    assert in_words({}) == ""
    assert value["gone"]["labels"] == 200
    assert len(value["gone"]["tasks"]) == 100
