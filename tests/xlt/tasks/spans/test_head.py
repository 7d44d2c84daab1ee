"""Head of spans: what it learns from states and shapes, padding, windows, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.xlt.tasks.samples import certain_of, drawn, examples_of, task_of
from tests.xlt.tasks.spans.samples import TEXT, WHERE, span
from xlt.data.examples import Example
from xlt.data.spans import Span
from xlt.encoder.padding import PaddedWords, pad_words
from xlt.encoder.tokens import Tokens
from xlt.encoder.words import words_of
from xlt.errors import DataError
from xlt.tasks.heads import build_head
from xlt.tasks.probes import has_probe
from xlt.tasks.spans.kind import KIND

TASK = task_of("spans")
PER = KIND.task(("PER",))


def row_of(text: str) -> Tokens:
    """A text with a token for each of its words."""
    where = words_of(text, [(n, n + 1) for n in range(len(text))], np.zeros(len(text), bool)).where
    special = np.zeros(len(where), bool)
    ids = np.arange(len(where))
    return Tokens(
        ids=ids, special=special, types=ids * 0, words=words_of(text, where.tolist(), special)
    )


def words_for(texts: list[str], width: int) -> PaddedWords:
    """The words of texts that are padded to a width."""
    padded = pad_words([row_of(text) for text in texts], width)
    assert padded is not None
    return padded


def test_losses_are_one_finite_number_per_text():
    """For a batch of one, of one answer, of all; with gradients, and on texts without words."""
    head = build_head(TASK, 6, embedding_width=4)
    several = drawn(TASK, 0, 12)
    for batch in (several[:1], several[:1] * 5, several):
        n = len(batch)
        states, mask = torch.randn(n, 9, 6, requires_grad=True), torch.ones(n, 9)
        words = words_for([TEXT] * n, 9)
        logits = head(states, mask, words)
        targets = head.row_targets(examples_of(batch), [row_of(TEXT)] * n)
        losses = head.losses(logits, targets)
        (losses.sum() + head.added(words).sum()).backward()

        assert logits.shape == (n, len(WHERE), TASK.width)
        assert logits.dtype == torch.float32
        assert losses.shape == (n,)
        assert (losses >= 0).all()
        assert torch.isfinite(losses).all()
        slopes = [p.grad for p in head.parameters() if p.grad is not None]
        assert all(torch.isfinite(slope).all() for slope in slopes)
    words = words_for([""], 3)
    logits = head(torch.randn(1, 3, 6), torch.ones(1, 3), words)
    targets = head.row_targets([Example(id="1", texts=(" ",), answer=())], [row_of("")])
    assert head.losses(logits, targets).tolist() == [0.0]


def test_padding_and_other_texts_do_not_change_what_a_head_gives():
    """Tokens and words of the padding are seen by nobody."""
    head = build_head(TASK, 6)
    with torch.no_grad():
        for parameter in head.parameters():
            torch.nn.init.normal_(parameter)
        states = torch.randn(2, 12, 6)
        texts = ["Ama saw Accra", TEXT]
        both = head(states, torch.ones(2, 12), words_for(texts, 12))
        alone = head(states[:1, :3], torch.ones(1, 3), words_for(texts[:1], 3))
        torch.testing.assert_close(both[:1, :3], alone)


def test_a_word_is_the_mean_of_its_tokens():
    """However many a tokenizer makes of it."""
    head = build_head(TASK, 6)
    torch.nn.init.normal_(head.kinds.weight)
    states = torch.randn(1, 4, 6)
    shapes = torch.zeros(1, 2, dtype=torch.int64)
    pieces = head(states, torch.ones(1, 4), PaddedWords(
        of_token=torch.tensor([[0, 0, 0, 1]]), shapes=shapes))  # fmt: skip
    means = torch.stack([states[:, :3].mean(dim=1), states[:, 3]], dim=1)
    whole = head(means, torch.ones(1, 2), PaddedWords(
        of_token=torch.tensor([[0, 1]]), shapes=shapes))  # fmt: skip
    torch.testing.assert_close(pieces, whole)


def test_shapes_reach_the_embeddings_of_a_word_s_tokens():
    """And nothing else; before training they change nothing."""
    head = build_head(TASK, 6, embedding_width=4)
    words = PaddedWords(of_token=torch.tensor([[-1, 0, 0, 1, -1]]), shapes=torch.tensor([[4, 2]]))
    assert head.added(words).abs().sum() == 0
    torch.nn.init.normal_(head.shape_embedding.weight)
    added = head.added(words)
    assert added.shape == (1, 5, 4)
    assert added[0, [0, 4]].abs().sum() == 0
    torch.testing.assert_close(added[0, 1], head.shape_embedding.weight[:, 2])
    torch.testing.assert_close(added[0, 2], added[0, 1])
    torch.testing.assert_close(added[0, 3], head.shape_embedding.weight[:, 1])


def test_a_head_learns_names_by_their_shape_alone():
    """From states that say nothing, as those of an encoder that lower-cases."""
    torch.manual_seed(0)
    head = build_head(PER, 6)
    texts = ["in Accra there is", "Ama saw him there", "he saw Kofi Mensah", "nobody was in here"]
    answers = [(3, 8), (0, 3), (7, 18), None]
    examples = [
        Example(id=text, texts=(text,), answer=(Span(*at, "PER"),) if at else ())
        for text, at in zip(texts, answers, strict=True)
    ]
    words, mask = words_for(texts, 4), torch.ones(4, 4)
    targets = head.row_targets(examples, [row_of(text) for text in texts])
    optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        head.losses(head(torch.zeros(4, 4, 6), mask, words), targets).mean().backward()
        optimizer.step()
    fit = head.fit(head(torch.zeros(4, 4, 6), mask, words).detach(), targets)
    assert (fit.accuracy, fit.collapsed) == (1.0, False)


def test_the_fit_says_what_a_model_gives():
    """The mean credit; one answer for all is a collapse, unless it is to mark nothing."""
    head = build_head(TASK, 4)
    several = drawn(TASK, 0, 20)
    targets = head.row_targets(examples_of(several), [row_of(TEXT)] * 20)

    def logits(given):
        values = certain_of(TASK, given).values.reshape(20, len(WHERE), -1)
        return torch.tensor(values).float() * 20 - 10

    assert head.fit(logits(several), targets).accuracy == 1.0
    assert head.fit(logits(several[:1] * 20), targets).collapsed
    assert not head.fit(logits([()] * 20), targets).collapsed


def test_answers_that_are_missing_or_foreign_are_refused(caplog):
    """The head names the example, or the label; a third layer of spans is counted in the log."""
    head = build_head(TASK, 4)
    with pytest.raises(DataError, match="'0' has no label"):
        head.row_targets(examples_of([None]), [row_of(TEXT)])
    with pytest.raises(DataError, match="'x'"):
        head.targets(examples_of([(span(0, 0, "x"),)]))
    nested = tuple(sorted(span(0, last, "sport") for last in range(4)))
    head.targets(examples_of([nested]))
    assert "2 spans" in caplog.text


def test_sentence_vectors_tell_no_spans():
    """What needs them asks, and refuses in one line."""
    assert not has_probe(TASK)
    with pytest.raises(DataError, match="do not tell where"):
        TASK.probe(np.zeros((1, 3)), [()], l2=1.0)
    with pytest.raises(DataError, match="do not tell where"):
        TASK.targets([()])
