"""Recipes of encoders: all options of a run, in one TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from xlt.errors import ConfigError
from xlt.pretrain.bag_of_pieces import BagOptions
from xlt.pretrain.distil.options import DistilOptions
from xlt.pretrain.masked_head import HeadOptions
from xlt.pretrain.word_alignment import AlignOptions

# Evaluation sets of encoders: training on their texts would make the results worthless.
EVALUATION_SETS = ("sib200", "sib-200", "flores", "nusax", "uner", "tatoeba")

MATRIX_DTYPES = ("float16", "float8_e4m3fn")
PRECISIONS = ("no", "bf16")

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class VocabularyOptions:
    """Options of the vocabulary.

    Attributes:
        n_pieces: Number of pieces.
        n_english: Number of the teacher's pieces that are kept.
        n_texts: Texts drawn to learn pieces from.
        n_first_texts: Texts drawn to measure the fertility of each language.
        language_exponent: Languages are drawn in proportion to their amount to this power.
        fertility_exponent: The chance of a language is multiplied by its fertility to this power.
        min_texts: A language with fewer texts gets no pieces of its own.
        min_english_uses: The tokens of English words used this often do not change.
        min_character_texts: A character in this number of texts gets a piece.
        accents: keep, or strip-latin; see `xlt.pretrain.wordpiece.normalizer`.
    """

    n_pieces: int = 320_000
    n_english: int = 14_000
    n_texts: int = 1_000_000
    n_first_texts: int = 200_000
    language_exponent: float = 0.4
    fertility_exponent: float = 3.0
    min_texts: int = 100
    min_english_uses: int = 5
    min_character_texts: int = 20
    accents: str = "strip-latin"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All options of a run; with the tables and the teacher's files they decide the result.

    Attributes:
        teacher: Folder, or `package:NAME/FOLDER`.
        corpora: Corpora of the tables that are read.
        lexicons: Those of them that hold words instead of sentences.
        in_tifinagh: Language codes whose Latin texts are read in Tifinagh as well.
        seed: Seed of all stages.
        held_out_percent: Share of the English sentences that are held out.
        embedding_size: Numbers in an embedding.
        matrix_dtype: Type of the large matrices in the file, float16 or float8_e4m3fn.
        vocabulary: Options of the vocabulary.
        align: Options of step 1, word alignment.
        bag: Options of step 2, bags of pieces.
        distil: Options of step 3, distillation.
        head: Options of step 4, the masked-token head.
    """

    teacher: str
    corpora: tuple[str, ...]
    lexicons: tuple[str, ...] = ()
    in_tifinagh: tuple[str, ...] = ()
    seed: int = 13
    held_out_percent: float = 1.5
    embedding_size: int = 144
    matrix_dtype: str = "float16"
    vocabulary: VocabularyOptions = field(default_factory=VocabularyOptions)
    align: AlignOptions = field(default_factory=AlignOptions)
    bag: BagOptions = field(default_factory=BagOptions)
    distil: DistilOptions = field(default_factory=DistilOptions)
    head: HeadOptions = field(default_factory=HeadOptions)

    def __post_init__(self) -> None:
        """Refuses evaluation sets and unknown values.

        Raises:
            ConfigError: If an option is invalid.
        """
        for name in (*self.corpora, *self.lexicons):
            if any(known in name.lower() for known in EVALUATION_SETS):
                raise ConfigError(f"corpus {name!r} is an evaluation set and cannot be trained on")
        unknown = sorted(set(self.lexicons) - set(self.corpora))
        if unknown:
            raise ConfigError(f"lexicons that are not among the corpora: {', '.join(unknown)}")
        for name, value, known in (
            ("matrix_dtype", self.matrix_dtype, MATRIX_DTYPES),
            ("precision", self.distil.precision, PRECISIONS),
        ):
            if value not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}, not {value!r}")


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe.

    Raises:
        ConfigError: If the file is not TOML, a key is unknown or missing, or a value is invalid.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the recipe {path}: {error}") from error
    return _from_table(Recipe, table, path.name)


def shipped_recipe(path: Path) -> Path:
    """Returns `path`, or the file of a recipe that comes with xlt (`cpu`, `gpu`)."""
    shipped = Path(__file__).parent / "recipes" / f"{path.name}.toml"
    return shipped if not path.exists() and shipped.exists() else path


def _from_table(kind: type[_T], table: Mapping[str, Any], where: str) -> _T:
    known = {item.name: item for item in fields(kind)}  # type: ignore[arg-type]  # a dataclass
    unknown = set(table) - set(known)
    if unknown:
        raise ConfigError(
            f"{where}: unknown key {', '.join(sorted(unknown))}; expected {', '.join(known)}"
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
