"""Files with a token per line become rows of tokens and tags."""

from __future__ import annotations

import gzip

import pytest

from xlt.data.tables import read_rows
from xlt.errors import DataError

CONLL2003 = """\
-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O

-DOCSTART- -X- -X- O
Peter NNP B-NP B-PER
Blackburn NNP I-NP I-PER
"""

CONLLU = """\
# newdoc id = d1
# sent_id = s-1
# text = Va al Cairo.
1\tVa\tandare\tVERB\t_\t_\t0\troot\t_\t_
2-3\tal\t_\t_\t_\t_\t_\t_\t_\t_
2\ta\ta\tADP\t_\t_\t4\tcase\t_\tNER=O
3\til\til\tDET\t_\t_\t4\tdet\t_\tNER=B-LOC
4\tCairo\tCairo\tPROPN\t_\t_\t1\tobl\t_\tNER=I-LOC|SpaceAfter=No
4.1\tè\tessere\tAUX\t_\t_\t_\t_\t_\t_
5\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\tNER=O

"""


def rows_of(folder, text, name="data.conll"):
    """The rows of a file with that content, without their numbers."""
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return [dict(row) for _, row in read_rows(path)]


@pytest.mark.parametrize("name", ["a.conll", "a.iob", "a.iob2", "a.bio", "a.conllu"])
def test_the_last_column_of_tags_is_read(tmp_path, name):
    """Of CoNLL-2003, where chunks are tagged so too; documents begin with a line of their own."""
    first, second = rows_of(tmp_path, CONLL2003, name)
    assert first == {
        "column 2": ["NNP", "VBZ"],
        "column 3": ["B-NP", "B-VP"],
        "tokens": ["EU", "rejects"],
        "tags": ["B-ORG", "O"],
    }
    assert (second["tokens"], second["tags"]) == (["Peter", "Blackburn"], ["B-PER", "I-PER"])


def test_rows_have_the_numbers_of_their_first_tokens(tmp_path):
    """So that a message leads to the sentence."""
    path = tmp_path / "a.conll"
    path.write_text(CONLL2003, encoding="utf-8")
    assert [number for number, _ in read_rows(path)] == [3, 7]


def test_a_packed_file_is_read(tmp_path):
    """As other tables are."""
    path = tmp_path / "a.conll.gz"
    path.write_bytes(gzip.compress(CONLL2003.encode()))
    assert len(read_rows(path)) == 2


def test_numbers_of_words_are_no_tokens(tmp_path):
    """As in the files of Universal NER, which have comments too."""
    text = "# sent_id = weblog-1\n# text = In Accra.\n"
    text += "1\tIn\tO\t-\t-\n2\tAccra\tB-LOC\t-\tann\n3\t.\tO\t-\t-\n"
    [row] = rows_of(tmp_path, text, "a.iob2")
    assert row["id"] == "weblog-1"
    assert row["text"] == "In Accra."
    assert (row["tokens"], row["tags"]) == (["In", "Accra", "."], ["O", "B-LOC", "O"])


@pytest.mark.parametrize("gap", ["\t", " "])
def test_a_token_with_a_number_sign_is_no_comment(tmp_path, gap):
    """Posts begin with topics."""
    text = f"# id = 4\n#Accra{gap}B-LOC\n#{gap}O\n\n#{gap}O\n"
    rows = rows_of(tmp_path, text)
    assert [row["tokens"] for row in rows] == [["#Accra", "#"], ["#"]]
    assert rows[0]["id"] == "4"


def test_files_without_tags_are_tokens(tmp_path):
    """A pool of texts to label."""
    [row] = rows_of(tmp_path, "Ama\nlives\n")
    assert row == {"tokens": ["Ama", "lives"]}


def test_words_of_one_token_share_its_place(tmp_path):
    """In CoNLL-U: the token's text is in the text, and words that are not there are left out."""
    [row] = rows_of(tmp_path, CONLLU, "a.conllu")
    assert row == {
        "newdoc id": "d1",
        "id": "s-1",
        "text": "Va al Cairo.",
        "tokens": ["Va", "al", "Cairo", "."],
        "tags": ["", "B-LOC", "I-LOC", "O"],
    }


def test_white_space_of_conllu_is_read(tmp_path):
    """SpaceAfter=No, and what UDPipe writes of other white space."""
    lines = [("Ama", "SpaceAfter=No"), (",", "SpacesAfter=\\s\\n"), ("b", "SpacesBefore=\\t")]
    rows = [f"{n}\t{word}" + 7 * "\t_" + f"\t{misc}\n" for n, (word, misc) in enumerate(lines, 1)]
    text = "".join(rows)
    [row] = rows_of(tmp_path, "# text = Ama, b\n" + text, "a.conllu")
    assert row["text"] == "Ama, \n\tb"
    assert "tags" not in row
    plain = text.replace("SpacesAfter=\\s\\n", "_").replace("SpacesBefore=\\t", "_")
    assert rows_of(tmp_path, plain, "a.conllu")[0]["text"] == "Ama, b"
    wrong = "# text = something else\n" + plain
    assert rows_of(tmp_path, wrong, "a.conllu")[0]["text"] == "Ama, b"


@pytest.mark.parametrize("key", ["NER", "ner", "NE", "name"])
def test_entities_are_read_from_misc(tmp_path, key):
    """Under the names that treebanks and tools give them; other values are not tags."""
    line = "1\tAma{}\t{}=B-PER|Gloss=name\n"
    [row] = rows_of(tmp_path, line.format("\t_" * 7, key), "a.conllu")
    assert row["tags"] == ["B-PER"]
    [row] = rows_of(tmp_path, line.format("\t_" * 7, key).replace("B-PER", "(person"), "a.conllu")
    assert "tags" not in row


def test_entities_are_read_from_a_column_of_conllu_plus(tmp_path):
    """Named by the first line."""
    text = "# global.columns = ID FORM UNER:NER\n1\tAma\tB-PER\n2\tran\tO\n"
    [row] = rows_of(tmp_path, text, "a.conllup")
    assert (row["tokens"], row["tags"]) == (["Ama", "ran"], ["B-PER", "O"])
    with pytest.raises(DataError, match=r"expected a column FORM .*, got \['ID', 'WORD'\]"):
        rows_of(tmp_path, "# global.columns = ID WORD\n1\tAma\n", "b.conllup")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_windows_are_no_part_of_tags(tmp_path, end):
    """And a line with white space alone ends a sentence."""
    rows = rows_of(tmp_path, end.join(["Ama B-PER", " \t", "ran O", ""]))
    assert [row["tags"] for row in rows] == [["B-PER"], ["O"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ama B-PER\nran\n", r"line 2: expected 2 columns, .*, got 1: 'ran'"),
        ("x" * 1_000_001, r"line 1: longer than 1000000"),
        ("# global.columns = ID FORM\n1\tAma\tO\n", r"line 2: expected 2 columns, .*, got 3"),
    ],
    ids=["columns", "long", "named columns"],
)
def test_broken_lines_are_named(tmp_path, text, message):
    """In one line."""
    with pytest.raises(DataError, match=message) as caught:
        rows_of(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_file_without_tokens_has_no_rows(tmp_path):
    """Comments are no sentences."""
    assert rows_of(tmp_path, "# text = nothing\n\n\n") == []
