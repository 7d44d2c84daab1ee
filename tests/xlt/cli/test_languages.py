"""Languages that options name, against those of the data."""

from __future__ import annotations

import pytest

from tests.xlt.cli.rows import ROWS, lines, table, without_labels
from xlt.cli.languages import named
from xlt.errors import DataError
from xlt_backend.cli import main


@pytest.mark.parametrize(
    "argv",
    [
        ["select", "{none}", "{data}", "--source", "xx"],
        ["select", "{none}", "{data}", "--source", "en,xx"],
        ["select", "{none}", "{data}", "--source", "xx", "--relabel"],
        ["train", "{data}", "--out", "{out}", "--target", "hausa,xx", "--encoder", "{none}"],
        ["adapt", "{none}", "{data}", "--out", "{out}", "--target", "xx"],
        ["adapt", "{none}", "{data}", "--out", "{out}", "--source", "xx"],
        ["simulate", "{data}", "--out", "{out}", "--source", "xx", "--encoder", "{none}"],
        [
            "simulate",
            "{data}",
            "--out",
            "{out}",
            "--source",
            "en",
            "--targets",
            "xx",
            "--encoder",
            "{none}",
        ],
    ],
    ids=lambda argv: " ".join(part for part in argv if "{" not in part),
)
def test_a_language_without_texts_is_refused_first(argv, tmp_path, capsys):
    """In one line that lists the languages of the data, before the model or encoder is read."""
    rows = [row | {"lang": {"en": "English", "ha": "hau_Latn"}[row["lang"]]} for row in ROWS]
    rows += without_labels([row | {"id": f"{row['id']}?"} for row in rows])
    data, out = table(tmp_path, rows), tmp_path / "out"
    assert main([part.format(data=data, out=out, none=tmp_path / "no model") for part in argv]) == 1
    [line] = capsys.readouterr().err.splitlines()
    count = 20 if argv[0] == "simulate" else 40
    assert f"no text is in 'xx'; texts are in English ({count}), hau_Latn ({count})" in line
    assert not out.exists()


@pytest.mark.parametrize("lang", ["en", "English", "eng_Latn", "en_US"])
@pytest.mark.parametrize("option", ["en", "english", "ENGLISH", "eng"])
def test_codes_and_names_mean_the_same_language(lang, option, tmp_path, tiny_encoder, capsys):
    """Whichever of them the table has, and whichever the option."""
    from xlt.cli import select

    rows = without_labels([row | {"lang": lang} if row["lang"] == "en" else row for row in ROWS])
    argv = ["select", "bundled", table(tmp_path, rows), "--source", option, "--batch", "10"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "_scored", lambda args, examples: _vectors(len(examples)))
        assert main(argv) == 0
    assert f"a batch of 10: {lang} 5, ha 5" in capsys.readouterr().err


def _vectors(count):
    import numpy as np

    return np.random.default_rng(5).normal(size=(count, 4)).astype(np.float32), None, ""


def test_train_takes_names_of_targets(tmp_path, tiny_encoder, capsys):
    """On a table with codes."""
    pool = [row | {"id": f"{row['id']}?", "text": f"{row['text']}?"} for row in ROWS]
    pool = without_labels(pool)
    argv = ["train", table(tmp_path, [*ROWS, *pool]), "--out", str(tmp_path / "model")]
    argv += ["--encoder", str(tiny_encoder), "--max-steps", "1", "--target", "hausa"]
    assert main(argv) == 0
    assert f"{len(ROWS) // 2} texts without a label" in capsys.readouterr().err


def test_members_of_a_macrolanguage_are_said(capsys):
    """The name of the macrolanguage is enough, but a line tells what it was taken for."""
    langs = ["en", "quy", "quy", "quh_Latn"]
    assert named("--source", "qu", langs) == ["quh", "quy"]
    said = "--source qu is a macrolanguage: its members quy (2), quh_Latn (1)\n"
    assert capsys.readouterr().err == said
    assert named("--source", "ar", ["arb_Arab", "arz_Arab"]) == ["ar"]
    said = "--source ar is a macrolanguage: not its members arz_Arab (1)\n"
    assert capsys.readouterr().err == said
    assert named("--source", " en , ", langs) == ["en"]
    assert named("--source", "", langs) == []
    assert capsys.readouterr().err == ""


def test_the_list_of_languages_is_short():
    """Of any number of languages with names of any length."""
    langs = [f"language {'x' * number}" for number in range(500)]
    with pytest.raises(DataError) as caught:
        named("--target", "y" * 5_000, langs)
    assert len(str(caught.value)) < 1_000
    assert "488 more" in str(caught.value)
    with pytest.raises(DataError, match="no language"):
        named("--target", "ha", [])


def test_unknown_languages_are_said_and_used(tmp_path, capsys):
    """Groups of texts may have any names; each is a language of its own."""
    from xlt.cli import select

    langs = ["dialect-1", "dialect-2", "north", "xx", "ha"]
    rows = [{"lang": langs[i % 5], "text": f"some words {i}"} for i in range(50)]
    argv = ["select", "bundled", table(tmp_path, rows), "--source", "Dialect-1", "--batch", "10"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "_scored", lambda args, examples: _vectors(len(examples)))
        assert main(argv) == 0
    shown = capsys.readouterr()
    said = "unknown languages, each read as one of its own: dialect-1 (10), dialect-2 (10), nort"
    assert said in shown.err
    assert "dialect-1 5, dialect-2 " in shown.err
    assert {row["lang"] for row in lines(shown.out)} <= set(langs)


def test_spellings_of_one_language_are_one_in_a_simulation(tmp_path, tiny_encoder, capsys):
    """The two splits may have been made by different people."""
    train = [row | {"split": "train"} for row in ROWS]
    tests = [row | {"id": f"t{row['id']}", "split": "test"} for row in ROWS]
    names = {"en": "English", "ha": "hau_Latn"}
    tests = [row | {"lang": names[row["lang"]]} for row in tests]
    argv = ["simulate", table(tmp_path, [*train, *tests]), "--out", str(tmp_path / "out")]
    argv += [
        "--split",
        "train",
        "--test-split",
        "test",
        "--source",
        "ENGLISH",
        "--targets",
        "hausa",
    ]
    argv += ["--encoder", str(tiny_encoder), "--budgets", "4", "--seeds", "1", "--json"]
    assert main([*argv, "--strategies", "random"]) == 0
    shown = capsys.readouterr().out
    assert '"targets": ["ha"]' in shown
    assert '"source": ["en"]' in shown


def test_the_list_of_languages_has_each_once():
    """However its texts spell it; it is called as the first of them."""
    with pytest.raises(DataError, match=r"texts are in en \(3\), Hausa \(2\)$"):
        named("--source", "xx", ["en", "Hausa", "eng_Latn", "ha", "English"])


def test_languages_that_were_found_are_shown_and_get_the_quota(tmp_path, capsys):
    """Texts without a language, and with words for none, are no language of their own."""
    from tests.xlt.identification.test_identify import BAMBARA, WOLOF
    from xlt.cli import select

    words = ["", "unknown", "None", "n/a"]
    texts = [*BAMBARA, *WOLOF, "123 456", "!!!"]
    rows = [{"lang": words[i % 4], "text": text} for i, text in enumerate(texts)]
    argv = ["select", "bundled", table(tmp_path, rows), "--batch", "10"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "_scored", lambda args, examples: _vectors(len(examples)))
        assert main(argv) == 0
        shown = capsys.readouterr().err
        assert main([*argv, "--languages", "Bambara,wo"]) == 0
    assert "82 texts name no language: found bam (40), wol (40); not sure of 2." in shown
    assert "--languages LANGS" in shown
    assert "a batch of 10: bam 5, wol 5, und 0" in shown
    confirmed = capsys.readouterr().err
    assert "found Bambara (40), wo (40); not sure of 2." in confirmed
    assert "--languages LANGS" not in confirmed
