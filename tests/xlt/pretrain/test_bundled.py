"""The bundled encoder keeps what its card promises."""

from __future__ import annotations

import importlib.resources
import os
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer, ElectraForMaskedLM

from xlt.encoder.locations import HEAD_FILE
from xlt.encoder.pooling import mean_pool
from xlt.pretrain.recipe import EVALUATION_SETS, read_recipe

FOLDER = Path(str(importlib.resources.files("xlt"))) / "bundled"
MAX_BYTES = 60_000_000


@pytest.fixture(scope="module", autouse=True)
def present():
    """Skips where a checkout has no weights; in CI that is an error."""
    if not (FOLDER / "model.safetensors").exists():
        if os.environ.get("CI"):
            pytest.fail("the bundled encoder is missing")
        pytest.skip("no bundled encoder in this checkout")


@pytest.fixture(scope="module")
def encoder():
    """Tokenizer and model as any user of transformers loads them."""
    model = AutoModel.from_pretrained(FOLDER, dtype=torch.float32).eval()
    return AutoTokenizer.from_pretrained(FOLDER), model


def vectors(encoder, texts):
    """Unit sentence vectors."""
    tokenizer, model = encoder
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**batch).last_hidden_state
    return torch.nn.functional.normalize(mean_pool(hidden, batch["attention_mask"]), dim=-1)


def test_is_small():
    """The encoder's files stay under 60 MB; the profiles of languages are not its own."""
    files = [file for file in FOLDER.rglob("*") if file.name != "languages.npz"]
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES


def test_loads_without_a_word(caplog):
    """No weight is missing and none is left over."""
    _, report = AutoModel.from_pretrained(FOLDER, output_loading_info=True)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert "LOAD REPORT" not in caplog.text


@pytest.mark.parametrize(
    "translation",
    [
        "Les enfants apprennent à lire à l'école.",
        "Los niños aprenden a leer en la escuela.",
        "Yara suna koyon karatu a makaranta.",
        "Watoto wanajifunza kusoma shuleni.",
        "孩子们在学校学习阅读。",
        "बच्चे स्कूल में पढ़ना सीखते हैं।",
    ],
    ids=["fra", "spa", "hau", "swa", "zho", "hin"],
)
def test_translation_is_nearer_than_another_sentence(encoder, translation):
    """An English sentence lies nearer to its translation than another topic does."""
    found = vectors(
        encoder,
        [
            "The children learn to read at school.",
            "The team won the football match last night.",
            "Interest rates rose again in the central bank's meeting.",
            translation,
        ],
    )
    scores = found[:3] @ found[3]
    assert scores.argmax() == 0


@pytest.mark.parametrize(
    "text", ["Ẹ káàárọ̀ o", "ሰላም ለዓለም", "Сәлам дөнья", "Ina kwana", "你好", "สวัสดี", "नमस्ते", "ⴰⵣⵓⵍ"]
)
def test_scripts_are_readable(encoder, text):
    """No word of these languages is unknown."""
    assert encoder[0].unk_token not in encoder[0].tokenize(text)


def test_masked_token_head_fits(encoder):
    """The stored head completes ElectraForMaskedLM, whose decoder is tied to the embeddings."""
    model = ElectraForMaskedLM(encoder[1].config)
    state = load_file(FOLDER / HEAD_FILE)
    assert set(state) <= set(model.state_dict())
    assert state["generator_lm_head.bias"].shape == (encoder[1].config.vocab_size,)


def test_recipe_is_kept_and_clean():
    """The recipe beside the weights can be read and names nothing that encoders are tested on."""
    recipe = read_recipe(FOLDER / "recipe.toml")
    assert not [n for n in recipe.corpora if any(known in n for known in EVALUATION_SETS)]


def test_card_says_what_it_must():
    """Licences, data, limits and how to remake it are in the card."""
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for wanted in ("CC BY-SA 4.0", "CC BY 4.0", "CC0", "Apache-2.0", "SIB-200", "xlt pretrain"):
        assert re.search(re.escape(wanted), card), wanted
