"""Languages that options name, checked against those of the data before anything slow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from xlt.cli.arguments import language_codes, print_status
from xlt.data.languages import (
    languages_named,
    listed,
    macrolanguage,
    normalise,
    resolved,
    spellings,
)
from xlt.errors import DataError


def named(option: str, value: str, langs: Iterable[str]) -> list[str]:
    """Returns the languages of an option such as `--target hau,Yoruba`.

    A macrolanguage without texts is replaced by its members; a line says whether they are taken.

    Args:
        option: Its name, for messages.
        value: Codes or names of languages, with commas between them.
        langs: Language of each text of the data.

    Raises:
        DataError: If a language has no text in the data; lists the languages there are.
    """
    names = language_codes(value)
    langs = list(langs)
    called = spellings(langs)
    texts = Counter(called[lang] for lang in langs)
    for name in names:
        languages = languages_named(name, texts)
        if not languages:
            raise DataError(f"{option}: no text is in {name[:60]!r}; texts are in {listed(texts)}")
        members = {lang: n for lang, n in texts.items() if macrolanguage(lang) == normalise(name)}
        if members:
            taken = "not its members" if languages[0] not in members else "its members"
            print_status(f"{option} {name} is a macrolanguage: {taken} {listed(members)}")
    return list(resolved(names, texts))
