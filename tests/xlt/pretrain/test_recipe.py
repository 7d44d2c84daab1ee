"""Recipes: mistakes that are named, and the two that are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlt.errors import ConfigError
from xlt.pretrain.recipe import EVALUATION_SETS, Recipe, read_recipe, shipped_recipe


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
