"""Entries that may not be trained on."""

from __future__ import annotations

import pytest

from tests.xlt.pretrain.opentext.samples import table
from xlt.errors import DataError
from xlt.pretrain.opentext.entries import Entry, evaluation_texts, without


def test_evaluation_texts_go_with_all_their_translations(tmp_path):
    """Spaces, capitals and punctuation hide nothing; one text takes its whole group along."""
    forbidden = evaluation_texts(
        [
            table(tmp_path / "a.parquet", text=["Ein Satz."], label=["x"]),
            table(tmp_path / "b.parquet", english=["A  question"], text=[""]),
            table(tmp_path / "c.parquet", tokens=[["Two", "words", "."]]),
        ]
    )
    kept = Entry(corpus="c", english="Kept", translations=(("deu", "Behalten"),))
    lost = [
        Entry(corpus="c", english="A question?", translations=(("deu", "Frage"),)),
        Entry(corpus="c", english="It", translations=(("fra", "Là"), ("deu", "EIN SATZ"))),
        Entry(corpus="c", english="two-words", translations=(("deu", "Zwei"),)),
    ]

    assert list(without([lost[0], kept, *lost[1:]], forbidden)) == [kept]


def test_a_table_without_texts_is_refused(tmp_path):
    """A wrong file must not pass for a table without anything to leave out."""
    with pytest.raises(DataError, match="none of the columns text, english, tokens"):
        evaluation_texts([table(tmp_path / "a.parquet", sentence=["x"])])
    with pytest.raises(DataError, match=r"cannot read the table .*b\.parquet"):
        evaluation_texts([tmp_path / "b.parquet"])
