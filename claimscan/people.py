"""Who a phrase stands for: lived experience, parent or carer, proxy, professional, organisation, public (codebook E1, E7, E12).

The answer depends on whom the document is about: a carer is a person with lived experience in a carers' strategy, may speak as
a parent in a SEND plan, and is a proxy in an adult autism strategy.

Rules for evidence are matched against a *mask* of the sentence, in which every phrase for people is one token of the same
length, so that a rule says "people wrote" once and every offset stays true.
"""

from __future__ import annotations

import re
from functools import cache

from claimscan.lexicon import compiled, expand, load
from claimscan.records import Population

_POINTS_BACK = re.compile(
    r"^(?:they|them|these|those|members|all (?:of them|of us|[\w-]+)|each|everyone|both|he|she|we|it|us|(?:the|our|its|this|that) .*)$", re.IGNORECASE
)
_TOKEN = re.compile(r"⟦(\w)~*⟧")
# "the tenants' charter", "women's services": the people are named, not present.
_NOT_POSSESSIVE = r"(?!['\u2019]s?\s(?!panel|forum|group|council|voice|representative|assembly|association))"
_DETERMINER = r"(?:(?<=\ba\s)|(?<=\ban\s)|(?<=\bone\s)|(?<=\beach\s)|(?<=\bevery\s)|(?<=\bthe\s)|(?<=\bour\s)|(?<=\bautistic\s)|(?<=\bdisabled\s)|(?<=\bdeaf\s)|(?<=\byoung\s))"


@cache
def _finder() -> re.Pattern[str]:
    """One pattern with a group per kind of people; the order in people.toml decides where two would fit."""
    table = load("people.toml")
    parts = []
    for kind in table["order"]:
        words = "|".join(expand(w) for w in sorted(table[kind], key=len, reverse=True))
        single = "|".join(expand(w) for w in table["singular"].get(kind, ()))
        alternatives = f"(?:{words})" + (rf"|{_DETERMINER}(?:{single})" if single else "")
        parts.append(f"(?P<{kind}>{alternatives})")
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?![\w-]){_NOT_POSSESSIVE}", re.IGNORECASE)


def mask(text: str, population: Population) -> str:
    """The text with every phrase for people replaced by a token of the same length: ⟦L~~~⟧ for lived experience and so on."""
    letters = load("people.toml")["letter"]
    out = list(text)

    def cover(start: int, end: int, letter: str) -> None:
        if end - start >= 3:
            out[start:end] = "⟦" + letter + "~" * (end - start - 3) + "⟧"

    for hit in _finder().finditer(text):
        cover(*hit.span(), letters[str(hit.lastgroup)])
    if subject(population):
        for hit in re.finditer(rf"(?<![\w~⟦])(?:{subject(population)})\w*(?: (?:people|adults|survivors|members|patients|group))?", text, re.IGNORECASE):
            if "~" not in "".join(out[hit.start() : hit.end()]) and _stands_for_people(text, hit):
                cover(*hit.span(), "L")
    return "".join(out)


def _stands_for_people(text: str, hit: re.Match[str]) -> bool:
    return bool(re.search(r"(?:people|adults|survivors|members|patients|group)$", hit.group()))


def kinds(phrase: str, population: Population = Population()) -> str:
    """The letters of every kind of people named in the phrase, in order of appearance."""
    return "".join(_TOKEN.findall(mask(phrase, population)))


def classify(phrase: str, population: Population) -> str:
    """The kind of people a phrase stands for, as the codes of E12.

    Returns:
        le, parent_carer, proxy, public, professional, organisations, mixed, unclear; or "" where the phrase only points back
        ("they", "the group") and so follows the product's other contributors.
    """
    phrase = " ".join(phrase.split())
    if not phrase:
        return ""
    letters = kinds(phrase, population)
    found = set()
    for letter in letters:
        if letter == "L":
            found.add("le")
        elif letter == "F":
            found.add({"carers": "le", "children": "parent_carer", "unknown": "parent_carer"}.get(population.kind, "proxy"))
        elif letter == "A":
            found.add("proxy")
        elif letter == "P":
            found.add("professional")
        elif letter == "O":
            found.add("organisations")
    if not found:
        if "U" in letters and not re.fullmatch(r"(?:members|you|voices)", phrase, re.IGNORECASE):
            return "public"
        return "" if "B" in letters or _POINTS_BACK.match(phrase) else "unclear"
    lived = found & {"le", "parent_carer"}
    others = found - lived
    if lived and others:
        return "mixed"
    if lived:
        return "le" if "le" in lived else "parent_carer"
    if "proxy" in others:
        return "proxy"
    return "professional" if "professional" in others else "organisations"


@cache
def subject(population: Population) -> str:
    """A pattern for the distinctive words of the population's label ("sickle cell"), or "" where it has none."""
    plain = set(load("population.toml")["plain_words"])
    words = [w for w in re.findall(r"[\w'-]+", population.label.lower()) if w not in plain and len(w) > 3]
    return "|".join(re.escape(w.rstrip("s")) for w in words)
