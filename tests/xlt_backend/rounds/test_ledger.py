"""The ledger of draws: each label keeps the chance of the order that it came in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.errors import StoreError
from xlt.sampling.pool import Pick
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.rounds.ledger import Draw, Ledger, PublishedOrder

#: Texts of the tasks.
DIGESTS = {str(n): f"text {n}" for n in range(2000)}

V0, V1, V2 = "start-20261122T080000", "v0001-20261122T090000", "v0002-20261122T100000"


def pick(number: int, *, slot="quota", propensity=0.9, lang="ha", rank: int | None = None) -> Pick:
    """A place in an order."""
    return Pick(
        id=str(number),
        lang=lang,
        rank=number if rank is None else rank,
        slot=slot,
        uncertainty=None,
        reason="",
        propensity=propensity,
        remaining=100 - number,
    )


def row(number: int, label: str | None = "sport") -> PublishRow:
    """Its prediction."""
    return PublishRow(task_id=number, score=0.5, answer=label)


def noted(ledger: Ledger, version: str, *, propensity: float, before=None, at: float) -> Ledger:
    """With an order of ten tasks, served from a time on."""
    picks = [pick(n, propensity=propensity) for n in range(10)]
    rows = [row(n) for n in range(10)]
    return ledger.noted(version, picks, rows, DIGESTS).served(version, before, at)


def test_a_label_belongs_to_the_order_that_was_served():
    """Those that came while the next model was trained are of the order before it."""
    ledger = noted(Ledger(), V1, propensity=0.1, at=100)
    ledger = noted(ledger, V2, propensity=0.2, before=V1, at=200)
    found = ledger.settled({"1": 150.0, "2": 250.0, "3": 50.0, "77": 250.0}, DIGESTS).labelled
    assert {id: draw.propensity for id, draw in found.items()} == {"1": 0.1, "2": 0.2}
    assert found["2"] == Draw(
        lang="ha", propensity=0.2, remaining=98, predicted="sport", at=250.0, digest="text 2"
    )


def test_without_a_time_the_newest_order_counts():
    """Label Studio always says when; other sources may not."""
    ledger = noted(Ledger(), V1, propensity=0.1, at=100)
    ledger = noted(ledger, V2, propensity=0.2, before=V1, at=200)
    assert ledger.settled({"1": 0.0}, DIGESTS).labelled["1"].propensity == 0.2


def test_what_settled_stays_until_the_label_goes():
    """A later order does not change a label's draw; a label taken back loses it."""
    ledger = noted(Ledger(), V1, propensity=0.1, at=100).settled({"1": 150.0, "2": 150.0}, DIGESTS)
    ledger = noted(ledger, V2, propensity=0.2, before=V1, at=200)
    found = ledger.settled({"1": 300.0}, DIGESTS).labelled
    assert {id: draw.propensity for id, draw in found.items()} == {"1": 0.1}


def test_an_order_that_was_never_served_has_no_labels():
    """A round was killed between noting and switching."""
    ledger = noted(Ledger(), V1, propensity=0.1, at=100)
    ledger = ledger.noted(V2, [pick(1, propensity=0.2)], [row(1)], DIGESTS)
    assert ledger.settled({"1": 300.0}, DIGESTS).labelled["1"].propensity == 0.1
    assert (
        Ledger().noted(V1, [pick(1)], [row(1)], DIGESTS).settled({"1": 300.0}, DIGESTS).labelled
        == {}
    )


def test_only_the_order_before_is_kept():
    """The ledger does not grow with the number of versions."""
    ledger = noted(Ledger(), V0, propensity=0.1, at=1)
    ledger = noted(ledger, V1, propensity=0.1, before=V0, at=2)
    ledger = noted(ledger, V2, propensity=0.1, before=V1, at=3)
    assert set(ledger.orders) == {V1, V2}


def test_tasks_that_are_put_in_later_join_the_order():
    """Those whose place stays keep their draw; what is published again is drawn again."""
    ledger = Ledger().noted(V1, [pick(1, propensity=0.1)], [row(1)], DIGESTS)
    again = ledger.noted(V1, [pick(1, propensity=0.3)], [row(1)], DIGESTS)
    assert again.orders[V1].draws["1"].propensity == 0.3
    ledger = ledger.noted(V1, [pick(1, propensity=0.5), pick(2, propensity=0.6)], [row(2)], DIGESTS)
    draws = ledger.orders[V1].draws
    assert {id: draw.propensity for id, draw in draws.items()} == {"1": 0.1, "2": 0.6}


def test_what_was_not_drawn_or_not_published_is_not_noted():
    """Places of another kind, places far behind, places that kept their old row."""
    picks = [pick(1), pick(2, slot="elsewhere"), pick(3, rank=1000), pick(4)]
    ledger = Ledger().noted(V1, picks, [row(1, None), row(2), row(3)], DIGESTS)
    assert set(ledger.orders[V1].draws) == {"1"}
    assert ledger.orders[V1].draws["1"].predicted is None


def test_the_newest_labels_of_a_language_are_kept():
    """Five hundred of each."""
    draws = {str(n): Draw(lang=f"l{n % 2}", propensity=0.1, remaining=9) for n in range(2000)}
    ledger = Ledger(orders={V1: PublishedOrder(since=1.0, draws=draws)})
    found = ledger.settled({str(n): 10.0 + n for n in range(2000)}, DIGESTS).labelled
    assert set(found) == {str(n) for n in range(1000, 2000)}


def test_another_text_under_the_same_id_has_no_draw():
    """Neither the draw of the order nor that of the label is one of the new text."""
    ledger = noted(Ledger(), V1, propensity=0.1, at=100)
    other = DIGESTS | {"1": "another", "2": "another"}
    settled = ledger.settled({"1": 150.0, "3": 150.0}, DIGESTS)

    assert ledger.settled({"1": 150.0, "3": 150.0}, other).labelled.keys() == {"3"}
    assert settled.labelled.keys() == {"1", "3"}
    assert settled.settled({"1": 150.0, "2": 160.0, "3": 150.0}, other).labelled.keys() == {"3"}


def test_a_new_text_is_drawn_again():
    """Once it was put into the order, under the id of the old one."""
    ledger = noted(Ledger(), V1, propensity=0.1, at=100).settled({"1": 150.0}, DIGESTS)
    other = DIGESTS | {"1": "another"}
    ledger = ledger.noted(V1, [pick(1, propensity=0.4)], [row(1)], other)

    assert ledger.texts(V1)["1"] == "another"
    assert ledger.settled({"1": 250.0}, other).labelled["1"].propensity == 0.4
    assert (ledger.texts(V2), ledger.texts(None)) == ({}, {})


def test_a_ledger_without_texts_is_read():
    """The first xlt wrote none: its draws belong to whatever text has the id."""
    data = (
        b'{"fallen_back": false, "labelled": {"1": ["ha", 0.5, 3, "sport", 9.0]}, '
        b'"orders": {"v": {"since": 5.0, "draws": {"2": ["ha", 0.5, 3, null, 0.0]}}}}'
    )
    ledger = Ledger.from_json(data)

    assert ledger.texts("v") == {}
    assert ledger.settled({"1": 9.0, "2": 9.0}, DIGESTS).labelled.keys() == {"1", "2"}
    assert Ledger.from_json(ledger.to_json()) == ledger


DRAWS = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.builds(
        Draw,
        lang=st.text(max_size=4),
        propensity=st.floats(1e-6, 1.0).map(lambda p: round(p, 9)),
        remaining=st.integers(1, 10**6),
        predicted=st.none() | st.text(max_size=4),
        at=st.floats(0, 2e9),
        digest=st.text("0123456789abcdef", max_size=4),
    ),
)
TEXTS = st.dictionaries(st.text(max_size=3), st.text(max_size=4))
LEDGERS = st.builds(
    Ledger,
    orders=st.dictionaries(
        st.sampled_from([V0, V1, V2]),
        st.builds(PublishedOrder, since=st.none() | st.floats(0, 2e9), draws=DRAWS, texts=TEXTS),
    ),
    labelled=DRAWS,
    fallen_back=st.booleans(),
)


@given(LEDGERS)
def test_a_ledger_is_read_as_it_was_written(ledger):
    """Whoever restarts goes on with the same numbers."""
    assert Ledger.from_json(ledger.to_json()) == ledger


def test_no_ledger_is_an_empty_one():
    """A new project."""
    assert Ledger.from_json(None) == Ledger()


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"fallen_back": 0, "orders": 3, "labelled": {}}',
        b'{"fallen_back": 0, "orders": {}, "labelled": {"1": ["ha", 0.0, 3, null, 0]}}',
        b'{"fallen_back": 0, "orders": {}, "labelled": {"1": ["ha", 0.5]}}',
        b'{"fallen_back": 0, "orders": {"v": {"since": "x", "draws": {}}}, "labelled": {}}',
    ],
)
def test_a_damaged_ledger_is_refused(data):
    """One line; the round then begins a new one."""
    with pytest.raises(StoreError, match=r"draws\.json is damaged"):
        Ledger.from_json(data)
