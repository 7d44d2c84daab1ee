"""Token classification as in Hugging Face's run_ner: the first piece of each word is labelled."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from data import LABELS, Sentence
from torch import Tensor, nn
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    get_linear_schedule_with_warmup,
)

from xlt.data.spans import Span
from xlt.encoder.locations import resolve

EPOCHS = 4
ROWS = 8
RATE = 5e-5
MOST_PIECES = 512
_IGNORED = -100
_TAGS = ("O", *(f"{prefix}-{label}" for label in LABELS for prefix in "BI"))
#: Letter case of a word: all lower, first upper, all upper, anything else.
_CASES = 4


class Recipe:
    """A token classifier; embeddings are not trained.

    Args:
        encoder: Name or folder of the encoder.
        seed: Seed of the new layer and of the order of the sentences.
        with_case: Adds a vector to the embeddings for the letter case of each word.
    """

    def __init__(self, encoder: str, seed: int, *, with_case: bool) -> None:
        torch.manual_seed(seed)
        place = resolve(encoder)
        self._tokenizer = AutoTokenizer.from_pretrained(place)
        self._collate = DataCollatorForTokenClassification(self._tokenizer)
        self._model = AutoModelForTokenClassification.from_pretrained(
            place, num_labels=len(_TAGS), dtype=torch.float32
        )
        self._table = self._model.get_input_embeddings().requires_grad_(False)
        self._case = nn.Embedding(_CASES + 1, self._table.embedding_dim, padding_idx=_CASES)
        nn.init.zeros_(self._case.weight)
        self._with_case = with_case

    def train(self, sentences: Sequence[Sentence]) -> None:
        """Trains for `EPOCHS`, with linear decay."""
        rows = [self._row(sentence) for sentence in sentences]
        weights = [p for p in self._model.parameters() if p.requires_grad]
        groups: list[dict[str, object]] = [{"params": weights, "lr": RATE}]
        if self._with_case:
            groups.append({"params": list(self._case.parameters()), "lr": 20 * RATE})
        optimizer = torch.optim.AdamW(groups, weight_decay=0.0, fused=True)
        steps = EPOCHS * -(-len(rows) // ROWS)
        schedule = get_linear_schedule_with_warmup(optimizer, 0, steps)
        self._model.train()
        for _ in range(EPOCHS):
            for places in torch.randperm(len(rows)).split(ROWS):
                logits, batch = self._logits([rows[place] for place in places])
                loss = nn.functional.cross_entropy(
                    logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=_IGNORED
                )
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                schedule.step()

    def predict(self, sentences: Sequence[Sentence]) -> list[tuple[Span, ...]]:
        """Returns the spans of sentences; it knows where words begin."""
        self._model.eval()
        order = sorted(range(len(sentences)), key=lambda i: -len(sentences[i].text))
        found: list[tuple[Span, ...]] = [()] * len(sentences)
        for start in range(0, len(order), 4 * ROWS):
            places = order[start : start + 4 * ROWS]
            with torch.inference_mode():
                logits, batch = self._logits([self._row(sentences[place]) for place in places])
            chosen = logits.argmax(dim=-1)
            for number, place in enumerate(places):
                tags = chosen[number][batch["labels"][number] != _IGNORED].tolist()
                words = sentences[place].words
                known = [_TAGS[tag] for tag in tags] + ["O"] * (len(words) - len(tags))
                found[place] = Sentence(words=words, tags=tuple(_begun(known))).spans
        return found

    def _row(self, sentence: Sentence) -> dict[str, list[int]]:
        row = self._tokenizer(
            list(sentence.words), is_split_into_words=True, truncation=True, max_length=MOST_PIECES
        )
        words = row.word_ids()
        first = [w is not None and w != b for w, b in zip(words, [None, *words], strict=False)]
        return {
            "input_ids": row["input_ids"],
            "attention_mask": row["attention_mask"],
            "labels": [
                _TAGS.index(sentence.tags[w]) if f else _IGNORED
                for w, f in zip(words, first, strict=True)
            ],
            "case": [_CASES if w is None else _case(sentence.words[w]) for w in words],
        }

    def _logits(self, rows: Sequence[dict[str, list[int]]]) -> tuple[Tensor, dict[str, Tensor]]:
        batch = self._collate([{k: v for k, v in row.items() if k != "case"} for row in rows])
        embedded = self._table(batch["input_ids"])
        if self._with_case:
            case = torch.full(batch["input_ids"].shape, _CASES)
            for number, row in enumerate(rows):
                case[number, : len(row["case"])] = torch.tensor(row["case"])
            embedded = embedded + self._case(case)
        output = self._model(inputs_embeds=embedded, attention_mask=batch["attention_mask"])
        return output.logits, batch


def _case(word: str) -> int:
    if word.islower():
        return 0
    if word.isupper() and len(word) > 1:
        return 2
    return 1 if word[:1].isupper() else 3


def _begun(tags: Sequence[str]) -> list[str]:
    """Makes a tag that goes on without a beginning begin, as seqeval reads it."""
    before = "O"
    read = []
    for tag in tags:
        goes_on = tag[0] == "I" and before[1:] != tag[1:]
        read.append(f"B{tag[1:]}" if goes_on else tag)
        before = tag
    return read
