"""The differentiable network: the model's own scores, and slopes that differences confirm."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tests.xlt.explain.conftest import MIXED
from xlt.data.examples import Example
from xlt.errors import ConfigError
from xlt.explain.network import Network
from xlt.models.predictor import Predictor


@pytest.mark.parametrize("name", ["frozen", "joint", "multi_label"])
@pytest.mark.parametrize("lang", ["eng", "hau", "xx"])
@pytest.mark.parametrize("text", [MIXED.text, "İSTANBUL  game", "vote " * 200], ids=str.__len__)
def test_its_logits_are_those_of_the_model(models, float32, name, lang, text):
    """Also for languages without a centre, letters that grow in lower case, and cut texts."""
    example = Example(id="1", texts=(text,), lang=lang)
    network = Network.load(models[name])
    read = network.read(example)

    with torch.inference_mode():
        found = network.logits(read, read.embeddings[None], read.ngrams.sum(0)[None])

    expected = Predictor.load(models[name]).score([example]).outputs.values
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)


def test_only_tokens_of_the_text_leave_the_baseline(models):
    """Special tokens stay: the baseline is a text of the same length that says nothing."""
    network = Network.load(models["frozen"])
    read = network.read(MIXED)

    same = (network.baseline(read) == read.embeddings).all(dim=1).numpy()

    np.testing.assert_array_equal(same, ~read.moving)
    assert same.sum() == 2


def test_answers_that_are_no_labels_of_one_text_are_refused(models, tmp_path):
    """Before anything is loaded, in a line that says what does it."""
    task = json.loads((models["frozen"] / "task.json").read_text())
    (tmp_path / "task.json").write_text(json.dumps(task | {"texts": 2}))

    with pytest.raises(ConfigError, match="single_label about 2 texts: occlusion does"):
        Network.load(tmp_path)
