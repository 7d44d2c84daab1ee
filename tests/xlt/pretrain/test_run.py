"""The pretraining recipe, its tables and pieces, and a whole tiny run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel

from xlt.errors import ConfigError, DataError
from xlt.pretrain import run as module
from xlt.pretrain.codes import joined, script_of
from xlt.pretrain.recipe import EVALUATION_SETS, Recipe, read_recipe
from xlt.pretrain.run import pretrain, shipped_recipe
from xlt.pretrain.student import load_teacher
from xlt.pretrain.tables import read_corpus, row_probabilities, temperature
from xlt.pretrain.vocabulary import (
    SPECIAL,
    build_vocabulary,
    frequent_characters,
    normalizer,
    wordpiece,
)

WORDS = [
    "river",
    "goat",
    "market",
    "rain",
    "song",
    "teacher",
    "bread",
    "moon",
    "road",
    "fire",
    "water",
    "tree",
    "house",
    "child",
    "night",
    "day",
    "cow",
    "fish",
    "boat",
    "stone",
    "hill",
    "wind",
    "seed",
    "field",
    "sister",
    "brother",
    "king",
    "queen",
    "door",
    "table",
]
LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ⴰⴱⵛⴷⴻⴼⴳⵀⵉⵊⴽⵍⵎⵏⵓⵒⵇⵔⵙⵜⵖⵠⵡⵅⵢⵣ")


def sentences(rng, n):
    """Random English, without grammar."""
    return [" ".join(rng.choice(WORDS, size=rng.integers(4, 8))) for _ in range(n)]


def foreign(text):
    """The same words in Tifinagh letters: a language that the teacher cannot read."""
    return text.translate(LETTERS)


def write_table(path, rng, n=120):
    """Pairs in two languages, a lexicon, and one row that must not be read."""
    rows = []
    for number, text in enumerate(sentences(rng, n)):
        rows.append(("pairs", f"pairs:{number}", "eng", text))
        rows.append(("pairs", f"pairs:{number}", "zgh_Tfng", foreign(text)))
        rows.append(("pairs", f"pairs:{number}", "yor", text[::-1]))
    rows += [("words", f"words:{word}", "zgh", foreign(word)) for word in WORDS]
    rows += [("sib200", "x:1", "fra", "une phrase que personne ne lit")]
    columns = dict(zip(("corpus", "key", "lang", "text"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), path)
    return path


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory):
    """A tiny English BERT."""
    folder = tmp_path_factory.mktemp("teacher")
    letters = [form for c in "abcdefghijklmnopqrstuvwxyz.,'" for form in (c, "##" + c)]
    pieces = list(dict.fromkeys([*SPECIAL, *letters, *WORDS]))
    tokenizer = wordpiece(pieces, "strip-latin")
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Pairs of English and two languages."""
    return write_table(tmp_path_factory.mktemp("table") / "pairs.parquet", np.random.default_rng(5))


def recipe_text(teacher, *, steps=60, bag=80):
    """A whole recipe of a few steps."""
    return f"""
teacher = "{teacher}"
corpora = ["pairs", "words"]
lexicons = ["words"]
held_out_percent = 5
embedding_size = 24
[vocabulary]
n_pieces = 190
n_english = 80
n_texts = 400
n_first_texts = 100
min_texts = 1
min_english_uses = 1
min_character_texts = 2
[bag]
steps = {bag}
batch_size = 64
learning_rate = 0.02
[distil]
minutes = 0
steps = {steps}
batch_tokens = 512
negatives = 32
precision = "no"
masked_weight = 0.1
body_learning_rate = 1e-3
row_learning_rate = 2e-3
[head]
minutes = 0
steps = 5
batch_size = 8
"""


def run(tmp_path, text, table, progress=lambda line: None, name="encoder", keep_work=False):
    """Makes the encoder of a recipe's text."""
    file = tmp_path / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return pretrain(
        read_recipe(file),
        tmp_path / name,
        tables=[table],
        progress=progress,
        recipe_text=text,
        keep_work=keep_work,
    )


def vectors(folder, texts):
    """Sentence vectors as any user of transformers computes them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    weight = batch["attention_mask"].unsqueeze(-1)
    return torch.nn.functional.normalize((hidden * weight).sum(1) / weight.sum(1), dim=-1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("speling = 1\n", "unknown key speling"),
        ("seed = 'x'\n", "must be int"),
        ("[distil]\nminuets = 3\n", "unknown key minuets"),
        ("corpora = ['pairs', 'SIB200']\n", "evaluation set"),
        ("lexicons = ['other']\n", "not among the corpora"),
        ("[distil]\nprecision = 'fp16'\n", "must be one of no, bf16, not 'fp16'"),
        ("matrix_dtype = 'int4'\n", "must be one of float16, float8_e4m3fn, not 'int4'"),
        ("seed = \n", "cannot read the recipe"),
    ],
)
def test_recipe_refuses(tmp_path, change, message):
    """A recipe with a mistake is refused in one line that names it."""
    base = {"teacher": "'t'", "corpora": "['pairs']"}
    lines = [f"{k} = {v}" for k, v in base.items() if not change.startswith(k)]
    file = tmp_path / "recipe.toml"
    file.write_text("\n".join(lines) + "\n" + change, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        read_recipe(file)


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_shipped_recipes_name_no_evaluation_set(name):
    """What encoders are measured on is never among a shipped recipe's inputs."""
    path = shipped_recipe(Path(name))
    recipe = read_recipe(path)
    assert isinstance(recipe, Recipe)
    inputs = " ".join([*recipe.corpora, *recipe.lexicons, path.read_text(encoding="utf-8")]).lower()
    assert not [known for known in EVALUATION_SETS if known in inputs]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Àwọn ọmọ", "Latn"),
        ("ሰላም", "Ethi"),
        ("私は学生", "Jpan"),
        ("学生", "Hani"),
        ("12 !", "Zyyy"),
    ],
)
def test_script_of(text, script):
    """The script is read from the letters, because codes do not tell it."""
    assert script_of(text) == script


def test_codes_of_one_language_are_joined():
    """Sources that name a language differently feed one language."""
    assert joined("swh") == joined("swa") == "swa"
    assert joined("arb") == joined("ara")
    assert joined("zho-TW") == joined("cmn") == "zho"


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


def test_temperature_lifts_small_languages():
    """Exponent 1 is the data's share, 0 is even, and no text stays no text."""
    counts = np.array([900.0, 100.0, 0.0])
    assert temperature(counts, 1.0) == pytest.approx([0.9, 0.1, 0.0])
    assert temperature(counts, 0.0) == pytest.approx([0.5, 0.5, 0.0])


@given(
    counts=st.lists(st.integers(0, 20_000), min_size=2, max_size=8).filter(any),
    exponent=st.floats(0.0, 1.0),
    few=st.sampled_from([1, 100, 1000]),
)
def test_the_smallest_languages_are_drawn_by_their_size(counts, exponent, few):
    """Below `few` texts each text counts the same, above it nothing changes, without a jump."""
    sizes = np.array(counts, dtype=np.float64)
    found = temperature(sizes, exponent, few=few)

    expected = [n**exponent if n >= few else n * few ** (exponent - 1) for n in counts]
    assert found == pytest.approx(np.array(expected) / sum(expected))


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1),
    exponent=st.floats(0, 1),
)
def test_rows_share_the_chance_of_their_language(rows, exponent):
    """Rows that are kept evenly, the others not at all."""
    language = np.array([row[0] for row in rows], dtype=np.int32)
    keep = np.array([row[1] for row in rows])

    chance = row_probabilities(language, keep, exponent)

    counts = np.bincount(language[keep], minlength=4).astype(float)
    for row, kept in enumerate(keep):
        of_language = temperature(counts, exponent)[language[row]] if kept else 0.0
        assert chance[row] * max(counts[language[row]], 1) == pytest.approx(of_language)


@pytest.mark.parametrize("accents", ["keep", "strip-latin"])
def test_marks_of_other_scripts_are_kept(accents):
    """Indic vowel signs and Ethiopic survive; Latin marks go only where they are to go."""
    normal = normalizer(accents)
    assert normal.normalize_str("हिन्दी") == "हिन्दी"
    assert normal.normalize_str("ትግርኛ") == "ትግርኛ"
    assert normal.normalize_str("Café") == ("cafe" if accents == "strip-latin" else "café")


def test_marks_that_make_letters_stay():
    """Tones of Yoruba and Vietnamese go, its letters stay, and Korean syllables stay whole."""
    normal = normalizer("strip-latin")
    assert normal.normalize_str("Ọ̀rọ̀ ṣe") == "ọrọ ṣe"
    assert normal.normalize_str("Tiếng người ẩn") == "tieng ngươi ản"
    assert normal.normalize_str("한국어") == "한국어"


def test_new_pieces_leave_the_cut_of_english(teacher_folder):
    """English is cut as by the teacher, and the new script is read without [UNK]."""
    teacher = Tokenizer.from_file(str(teacher_folder / "tokenizer.json"))
    rng = np.random.default_rng(1)
    english = [*sentences(rng, 60), "rivers and goats", "the markets' breads"]
    other = [foreign(text) for text in english] + ["rivera goatsu marketi"] * 20
    vocabulary = build_vocabulary(
        teacher,
        english=english,
        other=other,
        alphabet=frequent_characters(other, "strip-latin", at_least=2),
        n_english=len(teacher.get_vocab()),
        n_pieces=200,
        min_english_uses=1,
        accents="strip-latin",
    )
    for text in english:
        assert vocabulary.tokenizer.encode(text).tokens == teacher.encode(text).tokens
    tokens = vocabulary.tokenizer.encode(foreign("river song")).tokens
    assert "[UNK]" not in tokens
    assert len(tokens) < len("river song")
    assert len(vocabulary.pieces) <= 200
    assert (vocabulary.teacher_row >= 0).sum() == len(teacher.get_vocab())


def test_whole_run(teacher_folder, table, tmp_path):
    """Losses fall, translations come together, and the result loads with plain transformers."""
    lines = []
    out = run(tmp_path, recipe_text(teacher_folder, steps=150), table, lines.append)
    assert {file.name for file in out.iterdir()} >= {"model.safetensors", "recipe.toml"}
    assert sum(file.stat().st_size for file in out.iterdir()) < 2_000_000
    assert not (tmp_path / "encoder.work").exists()
    texts = sentences(np.random.default_rng(77), 12)
    english = vectors(out, texts)
    ours = vectors(out, [foreign(text) for text in texts])
    scores = ours @ english.T
    assert scores.diagonal().mean() > scores.mean() + 0.03
    nearest = scores.argmax(dim=1)
    assert (nearest == torch.arange(12)).float().mean() >= 0.3
    teacher = load_teacher(teacher_folder)
    assert AutoModel.from_pretrained(out).dtype == torch.float16
    assert teacher.body.config.hidden_size == english.shape[1]
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["unread_share"]["zgh_Tfng"] == 0


def test_a_lexicon_is_not_needed(teacher_folder, table, tmp_path):
    """Sentences alone fill the batches."""
    text = recipe_text(teacher_folder, steps=3, bag=3).replace('lexicons = ["words"]', "")

    out = run(tmp_path, text.replace('["pairs", "words"]', '["pairs"]'), table)

    assert vectors(out, [foreign("moon")]).isfinite().all()


@pytest.mark.parametrize(
    ("english", "foreign_key", "message"),
    [
        (
            "the goat and the river sing",
            "",
            "no sentence with an English translation to train on in the corpora",
        ),
        ("goat", "p:1", "no English sentence of four words or more"),
    ],
)
def test_tables_that_teach_nothing_are_refused(
    teacher_folder, tmp_path, english, foreign_key, message
):
    """Without translations, or without English sentences, there is nothing to learn from."""
    rows = {
        "corpus": ["pairs"] * 2,
        "key": ["p:1", foreign_key],
        "lang": ["eng", "zgh"],
        "text": [english, foreign(english)],
    }
    pq.write_table(pa.table(rows), tmp_path / "pairs.parquet")
    text = recipe_text(teacher_folder).replace("held_out_percent = 5", "held_out_percent = 0")

    with pytest.raises(DataError, match=message):
        run(tmp_path, text, tmp_path / "pairs.parquet")


def test_two_processes_make_one_encoder(teacher_folder, table, tmp_path):
    """The first prepares and writes, both train, as `torchrun` starts them."""
    file = tmp_path / "recipe.toml"
    file.write_text(recipe_text(teacher_folder, steps=5, bag=5), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone",
         "-m", "xlt_backend.cli", "pretrain", file, "--data", table, "--out", tmp_path / "encoder"],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "processes 2, device cpu" in done.stderr
    assert done.stderr.count("learning pieces") == 1
    assert done.stdout.count(str(tmp_path / "encoder")) == 1
    assert vectors(tmp_path / "encoder", [foreign("moon")]).isfinite().all()
    assert not (tmp_path / "encoder.work").exists()


class PowerCut(Exception):
    """Stands for a killed process."""


@pytest.mark.parametrize("stage", ["target", "rows"])
def test_a_stage_killed_while_it_was_written_is_made_again(
    teacher_folder, table, tmp_path, monkeypatch, stage
):
    """Half of a file is never taken for a finished stage."""
    real = module.save_file

    def killed(tensors, path):
        if stage in tensors:
            Path(path).write_bytes(b"half")
            raise PowerCut
        real(tensors, path)

    text = recipe_text(teacher_folder, steps=1, bag=1)
    monkeypatch.setattr(module, "save_file", killed)
    with pytest.raises(PowerCut):
        run(tmp_path, text, table)
    monkeypatch.setattr(module, "save_file", real)

    assert vectors(run(tmp_path, text, table), [foreign("moon")]).isfinite().all()


@pytest.mark.parametrize("change", ["recipe", "table"])
def test_stages_of_another_run_are_refused(teacher_folder, table, tmp_path, monkeypatch, change):
    """Vectors of other sentences are never trained on; what only later steps use may change."""
    text = recipe_text(teacher_folder, steps=1, bag=1)
    real = module.learn_head

    def killed(*args, **kwargs):
        raise PowerCut

    monkeypatch.setattr(module, "learn_head", killed)
    with pytest.raises(PowerCut):
        run(tmp_path, text, table)
    monkeypatch.setattr(module, "learn_head", real)
    other = write_table(tmp_path / "other.parquet", np.random.default_rng(6))
    seeded = text.replace('lexicons = ["words"]', 'lexicons = ["words"]\nseed = 14')
    assert seeded != text

    with pytest.raises(ConfigError, match="holds the stages of another recipe"):
        run(tmp_path, *((seeded, table) if change == "recipe" else (text, other)))

    longer = recipe_text(teacher_folder, steps=2, bag=1)
    assert (run(tmp_path, longer, table) / "report.json").is_file()


def test_stages_of_nobody_knows_which_run_are_refused(teacher_folder, table, tmp_path):
    """A folder of stages without their key could be anybody's."""
    (tmp_path / "encoder.work").mkdir()
    (tmp_path / "encoder.work" / "target.safetensors").write_bytes(b"")

    with pytest.raises(ConfigError, match="remove it"):
        run(tmp_path, recipe_text(teacher_folder, steps=1, bag=1), table)


@pytest.mark.parametrize("masked_weight", [0.0, 0.1])
def test_killed_run_goes_on_as_if_uninterrupted(
    teacher_folder, table, tmp_path, monkeypatch, masked_weight
):
    """Killed after some steps and started again, a run ends with the same weights."""
    text = recipe_text(teacher_folder, steps=12, bag=5)
    text = text.replace("masked_weight = 0.1", f"masked_weight = {masked_weight}")
    text = text.replace("[distil]", "[distil]\ncheckpoint_minutes = 0")
    whole = run(tmp_path, text, table, name="whole", keep_work=True)
    shutil.copytree(tmp_path / "whole.work", tmp_path / "resumed.work")  # ties between pieces
    shutil.rmtree(tmp_path / "resumed.work" / "checkpoint")
    real = module.save_checkpoint

    def killed(folder, model, optimizers, state, rng):
        real(folder, model, optimizers, state, rng)
        if state.step == 5:
            raise PowerCut

    monkeypatch.setattr(module, "save_checkpoint", killed)
    with pytest.raises(PowerCut):
        run(tmp_path, text, table, name="resumed")
    assert not (tmp_path / "resumed").exists()
    monkeypatch.setattr(module, "save_checkpoint", real)
    resumed = run(tmp_path, text, table, name="resumed")
    left, right = (AutoModel.from_pretrained(f, dtype=torch.float32) for f in (whole, resumed))
    for name, tensor in left.state_dict().items():
        torch.testing.assert_close(tensor, right.state_dict()[name], msg=name)
