"""`xlt search`, with a tiny encoder."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import lines, table
from xlt_backend.cli import main

POOL = [
    {"id": "1", "lang": "en", "text": "the cat sat in the house", "label": "animal"},
    {"id": "2", "lang": "ha", "text": "kyanwa ta zauna a gida"},
    {"id": "3", "lang": "ha", "text": "kasuwa ta cika yau"},
    {"id": "4", "lang": "en", "text": "the market is full today", "label": "place"},
]
LEXICON = [
    {"id": "cat", "lang": "en", "text": "cat"},
    {"id": "cat", "lang": "ha", "text": "kyanwa"},
]


@pytest.fixture
def pool(tmp_path) -> str:
    """A file of four texts in two languages."""
    return table(tmp_path, POOL, "pool.jsonl")


def searched(capsys, *argv: str) -> tuple[list[dict], str]:
    """The rows that a search prints, and its messages."""
    assert main(["search", *argv, "--json"]) == 0
    printed = capsys.readouterr()
    return lines(printed.out), printed.err


def test_texts_with_the_words_of_a_query_come_first(pool, tiny_encoder, capsys):
    """Each with its ranks; all texts have a place by meaning."""
    argv = [pool, "the market is full", "--query-language", "en", "--model", str(tiny_encoder)]
    rows, _ = searched(capsys, *argv)

    assert len(rows) == 4
    assert rows[0]["id"] == "4"
    assert rows[0]["ranks"]["words"] == 1
    assert all(-1 <= row["similarity"] <= 1 and "meaning" in row["ranks"] for row in rows)


def test_a_lexicon_translates_the_query(pool, tmp_path, tiny_encoder, capsys):
    """A line says by which words."""
    lexicon = table(tmp_path, LEXICON, "lexicon.jsonl")
    argv = [pool, "cat", "--query-language", "en", "--lexicon", lexicon, "--language", "Hausa"]
    rows, said = searched(capsys, *argv, "--model", str(tiny_encoder))

    assert {row["lang"] for row in rows} == {"ha"}
    assert [row["id"] for row in rows if "translation" in row["ranks"]] == ["2"]
    assert "also searched for: kyanwa (hau)" in said


def test_the_index_follows_the_file(pool, tmp_path, tiny_encoder, capsys):
    """What is new is found, what is gone is not; a line says what changed, or nothing did."""
    argv = ["house", "--query-language", "en", "--model", str(tiny_encoder)]
    argv += ["--index", str(tmp_path / "index")]
    searched(capsys, pool, *argv)
    rows, said = searched(capsys, pool, *argv)
    assert (len(rows), "up to date" in said) == (4, False)

    changed = [*POOL[1:], {"id": "5", "lang": "en", "text": "a red house"}]
    table(tmp_path, changed, "pool.jsonl")
    rows, said = searched(capsys, pool, *argv)
    assert {row["id"] for row in rows} == {"2", "3", "4", "5"}
    assert rows[0]["id"] == "5"
    assert "was not up to date: 1 texts are new, 0 changed, 1 deleted" in said

    (tmp_path / "index" / "rows.npy").write_bytes(b"cut")
    rows, said = searched(capsys, pool, *argv)
    assert len(rows) == 4
    assert "is damaged" in said
    assert "it is made again" in said


def test_labelled_or_not_and_texts_like_another(pool, tiny_encoder, capsys):
    """A text is not like itself."""
    model = ["--model", str(tiny_encoder)]
    assert {r["id"] for r in searched(capsys, pool, "cat", *model, "--labelled")[0]} == {"1", "4"}
    assert {r["id"] for r in searched(capsys, pool, "cat", *model, "--unlabelled")[0]} == {"2", "3"}
    assert {r["id"] for r in searched(capsys, pool, "--like", "2", *model)[0]} == {"1", "3", "4"}


def test_people_get_a_line_per_text(pool, tiny_encoder, capsys):
    """With id, language and ranks."""
    argv = ["search", pool, POOL[0]["text"], "--limit", "1", "--model", str(tiny_encoder)]
    assert main(argv) == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("  1  1 (en, meaning ")
    assert line.endswith("  the cat sat in the house")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "expected a QUERY, or --like"),
        (["a", "--like", "1"], "and not both"),
        ([" "], "expected a query with words, got ' '"),
        (["go " * 10_000], "the query has 30,000 characters; at most 20,000"),
        (["ab " * 6000], "the query has 6,000 words; at most 512"),
        (["a", "--limit", "0"], "--limit must be 1 to 1000, got 0"),
        (
            ["a", "--language", "quy"],
            "--language: no text is in 'quy'; texts are in en (2), ha (2)",
        ),
        (["--like", "99"], "no text of"),
        (["a", "--lexicon", "missing.csv"], "missing.csv"),
    ],
)
def test_bad_arguments_are_answered_in_a_line(pool, tiny_encoder, capsys, argv, message):
    """With the value seen and what was expected."""
    assert main(["search", pool, *argv, "--model", str(tiny_encoder)]) == 1

    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1]
    assert error[-1].startswith("xlt: ")
