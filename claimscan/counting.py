"""Reads the numbers a text prints about people, in figures and words, with their qualifiers (codebook 2.3)."""

from __future__ import annotations

import re
from functools import cache

from claimscan.lexicon import load

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_SMALL = (
    {w: i for i, w in enumerate(_ONES)}
    | {w: 10 * i for i, w in enumerate(_TENS, 2)}
    | {"a": 1, "an": 1, "single": 1, "both": 2, "couple": 2}
)
_WELSH = "dau 2 dwy 2 tri 3 tair 3 pedwar 4 pedair 4 pump 5 chwech 6 saith 7 wyth 8 naw 9 deg 10 deuddeg 12 pymtheg 15 ugain 20".split()
_SMALL |= {word: int(n) for word, n in zip(_WELSH[::2], _WELSH[1::2], strict=True)}
_SCALE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}


def number(words: str) -> int | None:
    """The whole number printed as ``words`` ("1,200", "thirty-six", "a dozen", "deuddeg"), or None where there is none."""
    text = words.lower().strip()
    figure = re.search(r"\d[\d,]*", text)
    if figure:
        return int(figure.group().replace(",", "").rstrip(",") or 0)
    total = current = 0
    seen = False
    for word in re.findall(r"[a-z]+", text):
        if word in _SMALL:
            current += _SMALL[word]
            seen = True
        elif word in _SCALE:
            current = max(current, 1) * _SCALE[word]
            seen = True
            if _SCALE[word] >= 1000:
                total, current = total + current, 0
        elif word != "and":
            return None
    return total + current if seen else None


@cache
def _qualifiers() -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(rf"(?:{q['pattern']})\W*$", re.IGNORECASE), q["kind"]) for q in load("evidence.toml")["qualifier"]
    ]


def qualifier(before: str) -> str:
    """The kind of count that the words just before a number give it: min, max, approx or exact."""
    return next((kind for pattern, kind in _qualifiers() if pattern.search(before)), "exact")


@cache
def _units() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(u["pattern"], re.IGNORECASE), u["unit"]) for u in load("evidence.toml")["unit"]]


def unit(sentence: str, default: str = "participants") -> str:
    """What is counted: authors, members, participants, respondents, attendances or organisations."""
    return next((name for pattern, name in _units() if pattern.search(sentence)), default)


_BEFORE_PEOPLE = re.compile(
    r"(\d[\d,]*|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)\b)"
    r"(?=[^\u27e6\d]{0,40}\u27e6)",
    re.IGNORECASE,
)


def people(masked: str, text: str, kind: str) -> int | None:
    """The number printed before people in a clause on the mask; 1 for one of many; None where a count of this kind needs one."""
    if kind in ("vague", "proportion_only"):
        return None
    match = _BEFORE_PEOPLE.search(masked)
    found = number(text[slice(*match.span(1))]) if match else None
    return 1 if found is None and kind == "one_of_many" else found
