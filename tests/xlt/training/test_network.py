"""The model: one forward pass for a mixed batch."""

from __future__ import annotations

import pytest
import torch

from tests.builders import save_tiny_encoder
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.encoder.encoder import load_encoder
from xlt.encoder.masked_lm import TiedMlmHead, TrainedMlmHead
from xlt.errors import ConfigError
from xlt.losses import LossWeights
from xlt.tasks.single_label.task import SingleLabel
from xlt.training.batches import Stream, Vocabulary
from xlt.training.material import build_material
from xlt.training.network import batch_loss, build_model, parameter_groups, read, trainable

TASK = SingleLabel(labels=("sport", "politics"))
LABELLED = [
    Example(id="1", texts=("the team won the game",), lang="en", answer="sport"),
    Example(id="2", texts=("a vote in the state",), lang="en", answer="politics"),
    Example(id="3", texts=("wasan kwallo",), lang="ha", answer="sport", weight=0.5),
]
POOL = [
    Example(id="4", texts=("gwamnati zabe doka",), lang="ha"),
    Example(id="5", texts=("gasa",), lang="ha"),
]
PAIRS = [("the ball game", "wasan kwallo"), ("law", "doka"), ("a vote", "zabe")]


def setting(folder, config, *, pool=POOL, pairs=PAIRS):
    """A model and its first batch."""
    encoder = load_encoder(str(folder), with_mlm=True)
    model = build_model(encoder, TASK, config)
    material = build_material(LABELLED, pool, pairs, encoder, model.head, config)
    vocabulary = Vocabulary(
        pad_id=encoder.pad_id, mask_id=encoder.mask_id, n_tokens=40, max_length=128
    )
    return encoder, model, Stream(material, vocabulary, config).batch(0)


@pytest.mark.parametrize("kind", ["bert", "electra", "xlm-roberta", "modernbert", "deberta-v2"])
def test_one_forward_pass_gives_every_part(tmp_path, kind):
    """Labelled, masked, paired and aligned rows pass the body together, once."""
    config = TrainConfig(tlm_weight=1.0, align_weight=1.0, mlm_weight=1.0)
    encoder, model, batch = setting(save_tiny_encoder(tmp_path / kind, kind), config)
    calls = []
    encoder.model.register_forward_hook(lambda *_: calls.append(1))

    outputs = model(batch)
    loss = batch_loss(outputs, batch, model.head, LossWeights(mlm=1, tlm=1, align=1), config)
    loss.total.backward()

    assert len(calls) == 1
    assert outputs.task_logits.shape == (3, 2)
    assert outputs.mlm_logits.shape == (len(batch.mlm_targets), len(encoder.tokenizer))
    assert outputs.tlm_logits.shape == (len(batch.tlm_targets), len(encoder.tokenizer))
    assert outputs.sources.shape == outputs.targets.shape == (batch.n_pairs, 16)
    assert all(value > 0 for value in loss.named(loss.values()).values())
    assert all(
        torch.isfinite(p.grad).all() for p in trainable(model).values() if p.grad is not None
    )


def test_mixed_batch_gives_each_part_what_it_gets_alone(tiny_encoder):
    """Parts do not see one another: the task logits are those of the labelled rows alone."""
    config = TrainConfig(tlm_weight=1.0, align_weight=1.0)
    encoder, model, batch = setting(tiny_encoder, config)
    with torch.no_grad():
        torch.nn.init.normal_(model.head.linear.weight)
        mixed = model(batch).task_logits
        alone = [
            model.head(
                encoder.model(input_ids=row[mask.bool()][None]).last_hidden_state,
                torch.ones(1, int(mask.sum())),
            )
            for row, mask in zip(
                batch.tokens.input_ids[: batch.n_labelled],
                batch.tokens.attention_mask[: batch.n_labelled],
                strict=True,
            )
        ]

    torch.testing.assert_close(mixed, torch.cat(alone), atol=1e-5, rtol=1e-4)


def test_parts_without_rows_are_zero(tiny_encoder):
    """No pool, no pairs: the loss is the task loss, the other parts are exactly zero."""
    config = TrainConfig()
    _, model, batch = setting(tiny_encoder, config, pool=[], pairs=[])

    loss = batch_loss(model(batch), batch, model.head, LossWeights(mlm=1, tlm=1, align=1), config)
    loss.total.backward()

    assert (loss.mlm.item(), loss.tlm.item(), loss.align.item()) == (0.0, 0.0, 0.0)
    assert loss.total.item() == loss.task.item() > 0


def test_frozen_parts_have_no_gradient(tiny_encoder):
    """Frozen embeddings take the tied decoder with them; frozen layers are the lowest ones."""
    config = TrainConfig(freeze_embeddings=True, freeze_layers=1)
    _, model, batch = setting(tiny_encoder, config)

    loss = batch_loss(model(batch), batch, model.head, LossWeights(mlm=1), config)
    loss.total.backward()

    moved = {name for name, p in model.named_parameters() if p.grad is not None}
    assert moved
    assert all(name.startswith(("head.", "body.encoder.layer.1.")) for name in moved)


def test_unfrozen_embeddings_are_trained_through_both_of_their_uses(tiny_encoder):
    """The decoder stays tied: one tensor, one gradient."""
    config = TrainConfig(freeze_embeddings=False)
    encoder, model, batch = setting(tiny_encoder, config)

    batch_loss(model(batch), batch, model.head, LossWeights(mlm=1), config).total.backward()

    table = encoder.model.get_input_embeddings().weight
    assert isinstance(model.mlm, TrainedMlmHead)
    assert model.mlm.rest.get_output_embeddings().weight is table
    unseen = [i for i in range(len(table)) if i not in batch.tokens.input_ids]
    assert table.grad[unseen].abs().sum() > 0


def test_checkpoint_without_mlm_head_gets_a_tied_one(tmp_path):
    """It reads the input embeddings and trains at the head's rate."""
    folder = save_tiny_encoder(tmp_path / "plain", with_mlm=False)
    config = TrainConfig(body_learning_rate=1e-5, head_learning_rate=1e-2)
    _, model, batch = setting(folder, config)

    loss = batch_loss(model(batch), batch, model.head, LossWeights(mlm=1), config)
    loss.total.backward()

    assert isinstance(model.mlm, TiedMlmHead)
    assert model.mlm.bias.grad is not None
    rates = {group["lr"] for group in parameter_groups(model, config)}
    assert rates == {1e-5, 1e-2}


@pytest.mark.parametrize("setting_name", ["freeze_layers", "align_layer"])
def test_more_layers_than_there_are_is_refused(tiny_encoder, setting_name):
    """The message says how many the encoder has."""
    config = TrainConfig.from_mapping({setting_name: 3})
    with pytest.raises(ConfigError, match=f"{setting_name} must be at most 2, .* got 3"):
        build_model(load_encoder(str(tiny_encoder)), TASK, config)


def test_reading_keeps_the_order_of_the_texts(tiny_encoder):
    """Sorted by length inside, in the caller's order outside."""
    encoder = load_encoder(str(tiny_encoder))
    model = build_model(encoder, TASK, TrainConfig())
    texts = ["a", "the team won the game", "law", "vote in the state"]
    tokens = encoder.text_tokenizer(32)(texts)

    def reading(some):
        examples = [[tokens] for tokens in some]
        return read(encoder.model, model.head, examples, encoder.pad_id, dtype=torch.float32)

    together = reading(tokens).vectors
    for i, one in enumerate(tokens):
        torch.testing.assert_close(together[i], reading([one]).vectors[0], atol=1e-5, rtol=1e-4)
