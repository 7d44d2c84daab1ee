"""Tables read into a corpus."""

from __future__ import annotations

import pytest

from tests.xlt.pretrain.toy import WORDS
from xlt.errors import DataError
from xlt.pretrain.corpus import read_corpus


def test_corpus_reads_named_corpora_only(table):
    """Rows of other corpora are not read, and translations are held out together."""
    corpus = read_corpus(
        [table], corpora=["pairs", "words"], lexicons=["words"], held_out_percent=10
    )
    assert set(corpus.languages) == {"zgh_Tfng", "yor_Latn"}
    assert corpus.lexical.sum() == len(WORDS)
    assert 0 < corpus.held_out.sum() < 60
    held = set(corpus.source[corpus.held_out])
    assert not held & set(corpus.source[~corpus.held_out & ~corpus.lexical])
    assert not held & set(corpus.english)


def test_corpus_without_text_is_an_error(table, tmp_path):
    """An empty selection and a missing file are told apart from success."""
    with pytest.raises(DataError, match="no text"):
        read_corpus([table], corpora=["absent"], lexicons=[], held_out_percent=1)
    with pytest.raises(DataError, match="cannot read"):
        read_corpus([tmp_path / "no.parquet"], corpora=["a"], lexicons=[], held_out_percent=1)
