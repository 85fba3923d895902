"""Which language a text is in, by its share of small common words: one of ours, or one that claimscan does not read."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

_WORD = re.compile(r"[^\W\d_]+")
_SAMPLE = 8_000
_FEWEST = 40  # words below which nothing is said


def foreign(text: str) -> str:
    """The name of the language a text is clearly in, or "" for English, Welsh, too little text, or no clear answer."""
    middle = max(0, len(text) // 2 - _SAMPLE // 2) if len(text) > 2 * _SAMPLE else 0
    words = [word.lower() for word in _WORD.findall(text[middle : middle + _SAMPLE])]
    if len(words) < _FEWEST:
        return ""
    counts = Counter(words)
    if sum(counts[word] for word in ("the", "of", "and", "to")) > 0.06 * len(words):
        return ""  # plainly English: the table need not be opened
    shares = {name: sum(counts[word] for word in common) / len(words) for name, common in _table().items()}
    ours = max(shares["English"], shares["Welsh"])
    best = max(shares, key=lambda name: shares[name])
    if best in ("English", "Welsh") or shares[best] < 0.12 or shares[best] < 2.0 * ours:
        return ""
    return best


# In English too, or letters alone.
_UNSURE = frozenset({"a", "i", "o", "am", "er"})


def ours(text: str, least: int = 1) -> str:
    """``en`` or ``cy``, whichever has more small common words in the text; "" where neither has ``least`` or they are even."""
    middle = max(0, len(text) // 2 - _SAMPLE // 2) if len(text) > 2 * _SAMPLE else 0
    words = Counter(word.lower() for word in _WORD.findall(text[middle : middle + _SAMPLE]))
    english, welsh = (sum(words[word] for word in _common(name)) for name in ("English", "Welsh"))
    if english == welsh or max(english, welsh) < least:
        return ""
    return "en" if english > welsh else "cy"


@cache
def _common(name: str) -> frozenset[str]:
    return frozenset(_table()[name]) - _UNSURE


@cache
def _table() -> dict[str, list[str]]:
    import tomllib
    from importlib import resources

    source = resources.files("claimscan").joinpath("data/languages.toml")
    table: dict[str, list[str]] = tomllib.loads(source.read_text(encoding="utf-8"))["words"]
    return table
