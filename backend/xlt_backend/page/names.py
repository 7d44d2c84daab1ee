"""Names of languages in the language of the page."""

from __future__ import annotations

from functools import lru_cache

from langcodes import Language
from langcodes.tag_parser import LanguageTagError


@lru_cache(maxsize=4096)
def language_name(code: str, lang: str) -> str:
    """Returns the name of a language, such as `haoussa` for `hau` in French.

    Args:
        code: Code of the language, as tasks have it.
        lang: BCP 47 tag of the language of the name.

    Returns:
        The name; the code itself if it is not one.
    """
    try:
        tag = Language.get(code).prefer_macrolanguage()  # Swahili for swh
        return tag.display_name(lang) if tag.is_valid() else code
    except LanguageTagError:
        return code


@lru_cache(maxsize=4096)
def language_tag(code: str) -> str:
    """Returns the BCP 47 tag of a language, for the attribute `lang`; `und` if it has none.

    Args:
        code: Code of the language, as tasks have it.
    """
    try:
        tag = Language.get(code)
        return str(tag.to_tag()) if tag.is_valid() else "und"
    except LanguageTagError:
        return "und"
