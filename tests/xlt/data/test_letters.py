"""The script of a text is that of most of its letters."""

from __future__ import annotations

import pytest

from xlt.data.letters import script


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Yara ya tafi kasuwa.", "LATIN"),
        ("Ẹ káàárọ̀ 123", "LATIN"),
        ("ልጁ ወደ ትምህርት ቤት ሄደ", "ETHIOPIC"),
        ("東京タワーへ行きました", "CJK"),
        ("서울에 갔습니다", "CJK"),
        ("Привет, world!", "CYRILLIC"),
        ("👍 12:30 – 45 %", ""),
        ("", ""),
    ],
)
def test_scripts(text, name):
    """That of most letters; marks, digits and signs have none."""
    assert script(text) == name
