"""Languages that options name, checked against those of the data before anything slow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from xlt.cli.arguments import language_codes, print_status
from xlt.data.languages import languages_named, listed, macrolanguage, normalise, resolved
from xlt.errors import DataError


def named(option: str, value: str, langs: Iterable[str]) -> list[str]:
    """Returns the languages of an option such as `--target hau,Yoruba`.

    A macrolanguage that only names its members is replaced by them, and a line says so.

    Args:
        option: Its name, for messages.
        value: Codes or names of languages, with commas between them.
        langs: Language of each text of the data.

    Raises:
        DataError: If a language has no text in the data; lists the languages there are.
    """
    names = language_codes(value)
    texts = Counter(langs)
    for name in names:
        languages = languages_named(name, texts)
        if not languages:
            raise DataError(f"{option}: no text is in {name[:60]!r}; texts are in {listed(texts)}")
        members = [lang for lang in texts if macrolanguage(lang) == normalise(name)]
        if members:
            taken = listed({lang: texts[lang] for lang in languages})
            print_status(f"{option} {name}: {taken}; members of this macrolanguage: {members[:9]}")
    return list(resolved(names, texts))
