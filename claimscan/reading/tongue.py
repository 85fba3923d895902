"""Whether a text is in a language that claimscan does not read, by its share of small common words."""

from __future__ import annotations

import re
from collections import Counter

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
    import tomllib
    from importlib import resources

    source = resources.files("claimscan").joinpath("data/languages.toml")
    table: dict[str, list[str]] = tomllib.loads(source.read_text(encoding="utf-8"))["words"]
    shares = {name: sum(counts[word] for word in common) / len(words) for name, common in table.items()}
    ours = max(shares["English"], shares["Welsh"])
    best = max(shares, key=lambda name: shares[name])
    if best in ("English", "Welsh") or shares[best] < 0.12 or shares[best] < 2.0 * ours:
        return ""
    return best
