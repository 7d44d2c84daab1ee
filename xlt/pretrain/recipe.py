"""The recipe of an encoder: every choice of a run, read from one TOML file, nothing hidden."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from xlt.errors import ConfigError
from xlt.pretrain.align import AlignOptions
from xlt.pretrain.bag import BagOptions
from xlt.pretrain.distil import DistilOptions
from xlt.pretrain.head import HeadOptions

# Sets that encoders are measured on. Text of theirs in a recipe would make the numbers worthless.
EVALUATION_SETS = ("sib200", "sib-200", "flores", "nusax", "uner", "tatoeba")

MATRIX_DTYPES = ("float16", "float8_e4m3fn")
PRECISIONS = ("no", "bf16")

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class VocabularyOptions:
    """How the word pieces are chosen."""

    n_pieces: int = 320_000
    n_english: int = 14_000
    n_texts: int = 1_000_000  # drawn to learn the pieces from
    n_first_texts: int = 200_000  # drawn to see how finely each language is cut
    language_exponent: float = 0.4
    fertility_exponent: float = 3.0  # how much more finely cut languages are drawn
    min_texts: int = 100  # a language with fewer gets no pieces of its own
    min_english_uses: int = 5  # English words used as often keep the teacher's cut
    min_character_texts: int = 20  # a character in as many texts is always readable
    accents: str = "strip-latin"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what comes out, beside the tables and the teacher's files."""

    teacher: str
    corpora: tuple[str, ...]  # which of the tables' corpora to read
    lexicons: tuple[str, ...] = ()  # which of them hold words rather than sentences
    in_tifinagh: tuple[str, ...] = ()  # codes whose Latin texts are read in Tifinagh as well
    seed: int = 13
    held_out_percent: float = 1.5
    embedding_size: int = 144  # numbers in a row of the embeddings
    matrix_dtype: str = "float16"  # of the large matrices in the file, or float8_e4m3fn
    vocabulary: VocabularyOptions = field(default_factory=VocabularyOptions)
    align: AlignOptions = field(default_factory=AlignOptions)
    bag: BagOptions = field(default_factory=BagOptions)
    distil: DistilOptions = field(default_factory=DistilOptions)
    head: HeadOptions = field(default_factory=HeadOptions)

    def __post_init__(self) -> None:
        """Refuses corpora that encoders are measured on."""
        for name in (*self.corpora, *self.lexicons):
            if any(known in name.lower() for known in EVALUATION_SETS):
                raise ConfigError(f"corpus {name!r} is an evaluation set and cannot be trained on")
        strangers = set(self.lexicons) - set(self.corpora)
        if strangers:
            raise ConfigError(f"lexicons that are not among the corpora: {', '.join(strangers)}")
        for name, value, known in (
            ("matrix_dtype", self.matrix_dtype, MATRIX_DTYPES),
            ("precision", self.distil.precision, PRECISIONS),
        ):
            if value not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe.

    Raises:
        ConfigError: If the file is no TOML, a key is unknown or a value has another type.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the recipe {path}: {error}") from error
    return _from_table(Recipe, table, path.name)


def _from_table(kind: type[_T], table: Mapping[str, Any], where: str) -> _T:
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    unknown = set(table) - set(known)
    if unknown:
        raise ConfigError(
            f"{where}: unknown key {', '.join(sorted(unknown))}; known are {', '.join(known)}"
        )
    missing = [
        name
        for name, item in known.items()
        if name not in table and item.default is MISSING and item.default_factory is MISSING
    ]
    if missing:
        raise ConfigError(f"{where}: missing key {', '.join(missing)}")
    hints = get_type_hints(kind)
    return kind(**{k: _value(hints[k], v, f"{where}, {k}") for k, v in table.items()})


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - values of a TOML file
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise ConfigError(f"{where}: must be a table, not {value!r}")
        return _from_table(hint, value, where)
    if hint == tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{where}: must be a list of strings, not {value!r}")
        return tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where}: must be {hint.__name__}, not {value!r}")
    return value
