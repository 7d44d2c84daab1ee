"""Material of a training."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import save_tiny_encoder
from tests.xlt.training.test_network import LABELLED, POOL, TASK
from xlt.config import TrainConfig
from xlt.encoder.encoder import load_encoder
from xlt.training.material import build_material
from xlt.training.network import build_model


def test_all_spellings_of_a_language_are_one_in_the_loss(tmp_path):
    """Otherwise it would count twice in the mean of per-language means."""
    encoder = load_encoder(str(save_tiny_encoder(tmp_path / "bert")), with_mlm=True)
    config = TrainConfig(mlm_weight=1.0)
    head = build_model(encoder, TASK, config).head
    first, second, third = LABELLED
    labelled = [first, replace(second, lang="English"), replace(third, lang="Hausa")]
    material = build_material(labelled, POOL, [], encoder, head, config)
    assert material.languages.tolist() == [1, 1, 0]
    assert material.unlabelled_languages == ["Hausa", "Hausa"]
    assert build_material(LABELLED, POOL, [], encoder, head, config).languages.tolist() == [0, 0, 1]
