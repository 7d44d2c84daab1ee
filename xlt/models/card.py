"""The model card: README.md of a model's folder, for people and for the Hugging Face Hub."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from huggingface_hub import ModelCardData, metadata_load
from yaml import YAMLError  # type: ignore[import-untyped]  # no stubs

from xlt import __version__
from xlt.data.examples import Example
from xlt.data.languages import iso_code, spellings
from xlt.encoder.locations import resolve
from xlt.errors import EncoderError
from xlt.tasks.kinds import KINDS
from xlt.tasks.metrics import LanguageScore, wilson
from xlt.tasks.task import AnyTask

#: Name of the card's file.
CARD = "README.md"

#: At most this number of labels is listed.
_MAX_LABELS = 20
#: Longer names and reasons are cut, in characters.
_MAX_NAME, _MAX_REASON = 48, 400

#: Names of encoders on the Hub, identifiers of licences and language codes that the Hub accepts.
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,39}")
#: Language codes that need no quoting anywhere.
_SIMPLE = re.compile(r"[A-Za-z0-9_-]{1,35}")

#: Characters that mean something in Markdown: a backslash is enough for most of them.
_MARKDOWN = str.maketrans(
    {mark: f"\\{mark}" for mark in "`*_[]~#$"} | {mark: f"&#{ord(mark)};" for mark in "\\|<>&"}
)
_BREAKS = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

_LOADING = """\
## How to load it

In this folder, with xlt:

```python
from pathlib import Path

from xlt.data.examples import Example
from xlt.models.predictor import Predictor

predictor = Predictor.load(Path("."))
predictions = predictor.predict([Example(id="1", texts=TEXTS, lang="LANG")])
print(predictions.suggestions[0])
```

```sh
xlt predict . texts.csv > predictions.jsonl
```

The encoder alone, for vectors of texts:

```python
from transformers import AutoModel, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModel.from_pretrained(".", dtype="float32")
```"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The encoder that a model was trained from.

    Attributes:
        name: Its name on the Hub, "bundled", or the name of its folder.
        licence: The licence that its own card states; empty if it states none.
        on_hub: True if the name is one on the Hugging Face Hub.
        adapted: True if it was adapted to the project's texts before the training.
        frozen: True if the training left it as it was.
    """

    name: str
    licence: str = ""
    on_hub: bool = False
    adapted: bool = False
    frozen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The facts on a model's card.

    Attributes:
        task: What annotators decide.
        encoder: The encoder that it was trained from.
        labels_spent: Language -> number of labels that it was trained on.
        day: Day of the training, UTC.
        judges: Name of the labels that it was judged by, such as "held-out labels".
        scores: Language -> score on those labels; empty if there are none.
        reason: Reason of the training; empty if it was started by hand.
        judgement: The decision on it when it was saved, with its reason; empty without one.
        texts: Number of texts of an example.
        choice: Why the encoder was fine-tuned or not; empty if the settings say it.
    """

    task: AnyTask
    encoder: Origin
    labels_spent: Mapping[str, int]
    day: date
    judges: str
    scores: Mapping[str, LanguageScore] = field(default_factory=dict)
    reason: str = ""
    judgement: str = ""
    texts: int = 1
    choice: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the labels: those with most of them first."""
        most = sorted(self.labels_spent, key=lambda lang: -self.labels_spent[lang])
        return tuple(dict.fromkeys((*most, *self.scores)))


def origin(encoder: str, *, adapted: bool = False, frozen: bool = False) -> Origin:
    """Describes an encoder by what is on this disk; the network is not asked.

    Args:
        encoder: "bundled", a folder, or a name on the Hugging Face Hub.
        adapted: Whether it was adapted before the training.
        frozen: Whether the training leaves it as it is.
    """
    known = Origin(name=encoder, adapted=adapted, frozen=frozen)
    try:
        place = resolve(encoder)
    except EncoderError:
        return known
    if isinstance(place, str):
        return replace(known, name=place, on_hub=bool(_HUB_NAME.fullmatch(place)))
    name = encoder if encoder == "bundled" else place.resolve().name
    return replace(known, name=name, licence=_stated_licence(place))


def count_labels(examples: Sequence[Example]) -> dict[str, int]:
    """Maps each language to its number of examples."""
    return dict(Counter(example.lang for example in examples))


def write_card(folder: Path, card: Card) -> None:
    """Writes the card into a model's folder; replaces an older one."""
    (folder / CARD).write_text(render(card), encoding="utf-8")


def render(card: Card) -> str:
    """Returns the card as Markdown with YAML front matter."""
    lang = next((code for code in card.languages if _SIMPLE.fullmatch(code)), "en")
    parts = (
        f"---\n{_front_matter(card)}\n---",
        f"# {card.task.kind.replace('_', ' ').capitalize()} model, trained with xlt",
        _facts(card),
        _accuracy(card),
        _LOADING.replace("LANG", lang).replace("TEXTS", _some_texts(card.texts)),
    )
    return "\n\n".join(parts) + "\n"


def _front_matter(card: Card) -> str:
    languages = dict.fromkeys(spellings(card.languages).values())
    licence = card.encoder.licence
    data = ModelCardData(
        language=[known for lang in languages if (known := iso_code(lang))] or None,
        license=licence if _LICENCE.fullmatch(licence) else None,
        base_model=card.encoder.name if card.encoder.on_hub else None,
        library_name="xlt",
        tags=["xlt", card.task.kind.replace("_", "-")],
    )
    return str(data.to_yaml())


def _facts(card: Card) -> str:
    decided, _, _ = KINDS[card.task.kind].control.supported.partition(":")
    adapted = ", adapted to the project's texts" if card.encoder.adapted else ""
    trained = ", not trained further" if card.encoder.frozen else ", fine-tuned"
    licence = card.encoder.licence or "not stated: see the encoder's page"
    facts = {
        "annotators decide": _plain(decided),
        "texts of an example": str(card.texts) if card.texts > 1 else "",
        "labels": _labels(card.task.labels),
        "encoder": _plain(card.encoder.name, most=2 * _MAX_NAME) + adapted + trained,
        "licence of the encoder": _plain(licence),
        "trained": f"{card.day.isoformat()}, with xlt {__version__}",
        "reason of the training": _plain(card.reason, most=_MAX_REASON) if card.reason else "",
        "choice of the learner": _plain(card.choice, most=_MAX_REASON) if card.choice else "",
        "judgement when it was saved": _plain(card.judgement, most=_MAX_REASON)
        if card.judgement
        else "not compared with another model",
    }
    rows = [f"| {name} | {fact} |" for name, fact in facts.items() if fact]
    return "\n".join(["| | |", "|---|---|", *rows])


def _some_texts(count: int) -> str:
    """Returns the texts of an example in Python."""
    texts = ("Some text.", "Another text.", "A third text.")[:count]
    return "(" + ", ".join(f'"{text}"' for text in texts) + ("," if count == 1 else "") + ")"


def _labels(labels: Sequence[str]) -> str:
    listed = ", ".join(_plain(label) for label in labels[:_MAX_LABELS])
    rest = len(labels) - _MAX_LABELS
    more = f" and {rest} more, see `task.json`" if rest > 0 else ""
    return f"{len(labels)}: {listed}{more}"


def _accuracy(card: Card) -> str:
    measure = card.task.measure
    rows = [
        f"| language | training labels | {card.judges} | {measure}, % | 95 % interval |",
        "|---|---:|---:|---:|---:|",
        *(_row(_plain(lang), card.labels_spent.get(lang, 0), card.scores.get(lang))
          for lang in card.languages),
    ]  # fmt: skip
    if len(card.languages) > 1:
        rows.append(_row("all", sum(card.labels_spent.values()), _total(card.scores)))
    about = (
        f"Judged by {card.judges}. They were not trained on, and they calibrate the probabilities. "
        "Intervals are Wilson score intervals."
        if card.scores
        else f"It has no {card.judges} yet: its {measure} is not known."
    )
    return "\n".join([f"## {measure[:1].upper()}{measure[1:]} per language", "", *rows, "", about])


def _row(name: str, spent: int, score: LanguageScore | None) -> str:
    if score is None or not score.n:
        return f"| {name} | {spent} | 0 | – | – |"
    interval = f"{100 * score.low:.1f}–{100 * score.high:.1f}"
    return f"| {name} | {spent} | {score.n} | {100 * score.accuracy:.1f} | {interval} |"


def _total(scores: Mapping[str, LanguageScore]) -> LanguageScore | None:
    n, correct = sum(s.n for s in scores.values()), sum(s.correct for s in scores.values())
    if not n:
        return None
    low, high = wilson(min(correct, n), n)
    return LanguageScore(n=n, correct=correct, accuracy=correct / n, low=low, high=high)


def _stated_licence(folder: Path) -> str:
    """Returns the licence in the front matter of an encoder's card; empty if there is none."""
    try:
        stated = (metadata_load(folder / CARD) or {}).get("license")
    except (OSError, ValueError, YAMLError):
        return ""
    return stated.strip() if isinstance(stated, str) else ""


def _plain(text: str, *, most: int = _MAX_NAME) -> str:
    """Returns a text of any origin on one line, cut, and without a meaning in Markdown."""
    seen = "".join(" " if _is_control(character) else character for character in text)
    line = " ".join(seen.split())
    cut = line if len(line) <= most else line[: most - 1] + "…"
    return cut.translate(_MARKDOWN) or "(blank)"


def _is_control(character: str) -> bool:
    """Returns whether a character breaks lines, cannot be written, or turns the direction."""
    return (
        unicodedata.category(character) in _BREAKS
        or unicodedata.bidirectional(character) in _DIRECTIONS
    )
