"""Who a phrase stands for: lived experience, parent or carer, proxy, professional, organisation, public (codebook E1, E7, E12).

The answer depends on whom the document is about: a carer is a person with lived experience in a carers' strategy, may speak as
a parent in a SEND plan, and is a proxy in an adult autism strategy.

Rules for evidence are matched against a *mask* of the sentence, in which every phrase for people is one token of the same
length, so that a rule says "people wrote" once and every offset stays true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from claimscan.lexicon import HYPHENS, expand, load, prefixes
from claimscan.records import Population

_POINTS_BACK = re.compile(
    r"^(?:they|them|these|those|members|all (?:of them|of us|[\w-]+)|each|everyone|both|he|she|we|it|us|(?:the|our|its|this|that) .*)$",
    re.IGNORECASE,
)
_OPTIONAL_TAIL = re.compile(r"(.*)\(\?: (.*)…\)\?")
_TAIL_DETERMINER = re.compile(r"\s+(?:the|an?|our|their|his|her|its|this|one|no)(?=\s)", re.IGNORECASE)
_TAIL_WORD = re.compile(r"\s+([\w'\u2019/-]+)")
_AND_CONDITION = re.compile(
    r"\s(?:and|or)\s(?:a\s|an\s|their\s)?(?:autism|dementia|anxiety|depression|colitis|(?:[\w-]+\s){0,2}(?:disabilit(?:y|ies)|illness|conditions?|impairments?"
    r"|needs|disorders?|support|disease|loss|injur(?:y|ies)|palsy|syndrome|health))\b",
    re.IGNORECASE,
)
_NOT_A_PERSON = frozenset(
    "help support deal deals cope copes life live lives case cases problems issues struggle struggles consistent care along even down up over out back off"
    " partnership consultation collaboration conversation conversations workshops sessions interviews contact clinics services event day research study met".split()
)
# Not for the phrase with the illness: "Kev, Dawn and Tariq, who ..." (rules for names read these), "mothers of adults with ...".
_LISTED = re.compile(r"(?:[A-Z]\w+(?:,|,? and)|\bof(?: the| our)?)\s$")
_KEY = 3  # letters of a word that choose the patterns worth trying
# Anybody may be meant by these, so they do not show that the public took part.
_UNCLEAR = re.compile(
    r"\b(?:members(?! of the public)|you|voices|champions|ambassadors|contributors|representatives?|reps|delegates|involved|concerned)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:non-?(?:autistic|disabled)|(?:and|or) hearing|hearing and|sighted and|(?:and|or) sighted|able-bodied)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"⟦(\w)~*⟧")
# Where a phrase may start: a word, but none of the commonest that never start one.
_WORD = re.compile(
    r"(?<![\w-])(?!(?:and|of|to|in|was|were|is|are|with|by|for|on|at|from|as|it|we|they|this|be|has|have|had|not|which|its|or|been|into|about|after|but|so|their"
    r"|will|what|when|how|there|them|more|up|out|us)\b)\w",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:who|that)\b")
_WORD_BEFORE = re.compile(r"([\w'\u2019&+-]+)\s+$")
_SINGLE_AFTER = re.compile(
    r"\b(?:an?|the|one|single|each|every|our|another|any|its|their|his|her|my|your|this|that|same|first|second|third|other|autistic|disabled|deaf|blind"
    r"|young|older|former|local|retired|new|fellow|lone)\s+(?:(?!(?:and|or|of|to|in|was|is|are|were|had|has|other|who|that)\s)[\w-]+\s+)?$",
    re.IGNORECASE,
)
_OF_MEMBERS = re.compile(
    r"(?:['\u2019]s?)?\s(?:(?:advisory|reference|steering|focus|user|working|consultative|scrutiny|liaison|readers?|participation|expert|design|editorial"
    r"|co[-\u2010\u2011]?(?:production|design)|insight|leadership|research|strategic|shadow|peer|support|self-help|user-led|voice|experience)\s){0,2}"
    r"(?:panels?|forums?|groups?|councils?|assembl(?:y|ies)|associations?|federations?|unions?|committees?|jur(?:y|ies)|networks?|collectives?|clubs?|circles?"
    r"|boards?|parliaments?|cabinets?|juries|voices|champions|ambassadors|representatives?|reps|delegates?|spokes\w+|members)(?![\w-])(?!['\u2019])",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"['\u2019](?:s\b|(?=\s))")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of people.toml: its kind, expanded pattern, group (singular, relative or neither) and tail; see the file."""

    kind: str
    pattern: str
    group: str
    tail: str


@cache
def _openers() -> dict[str, tuple[_Entry, ...]]:
    """The entries by the first letters that a match begins with, so that most words of a text are not tried at all."""
    table = load("people.toml")
    found: dict[str, list[_Entry]] = {}
    for group, lists in (("", table), ("singular", table["singular"]), ("relative", table["relative"])):
        for kind in table["order"]:
            for word in lists.get(kind, ()) if kind != "body" else ():
                optional = _OPTIONAL_TAIL.fullmatch(word)
                for form in (optional[1], f"{optional[1]} {optional[2]}…") if optional else (word,):
                    tail = "…?" if form.endswith("…?") else "…" if form.endswith("…") else ""
                    pattern = expand(form.removesuffix(tail))
                    for head in prefixes(pattern, _KEY):
                        found.setdefault(head, []).append(_Entry(kind, pattern, group, tail))
    return {head: tuple(entries) for head, entries in found.items()}


@lru_cache(maxsize=8192)
def _candidates(key: str, relative: bool) -> tuple[tuple[re.Pattern[str], _Entry], ...]:
    """What can begin with these first letters of a word; ``relative`` says whether the text has a "who" or "that" at all."""
    table = _openers()
    entries = [entry for length in range(len(key) + 1) for entry in table.get(key[:length], ())]
    return tuple((_entry(e.pattern), e) for e in entries if relative or e.group != "relative")


@cache
def _entry(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})(?![\w-])", re.IGNORECASE)


@cache
def _thing() -> re.Pattern[str]:
    """A noun that makes what stands before it the name of a thing."""
    words = "|".join(expand(w) for w in load("people.toml")["thing"])
    return re.compile(rf"[{HYPHENS}\s](?:{words})(?![\w-])", re.IGNORECASE)


@cache
def _stops() -> tuple[frozenset[str], re.Pattern[str]]:
    entries = load("words.toml")["stop"]
    plain = frozenset(w for w in entries if w.isalpha())
    return plain, re.compile("|".join(expand(w) for w in entries if not w.isalpha()), re.IGNORECASE)


def _tail(text: str, at: int) -> int:
    """The end of the words after "people with" that still belong to it; ``at`` where there is none."""
    plain, other = _stops()
    determiner = _TAIL_DETERMINER.match(text, at)
    end = determiner.end() if determiner else at
    taken = 0
    while taken < 5:
        word = _TAIL_WORD.match(text, end)
        if not word or word[1].lower() in plain or other.fullmatch(word[1]):
            break
        end, taken = word.end(), taken + 1
    if not taken:
        return at
    more = _AND_CONDITION.match(text, end)
    return more.end() if more else end


@cache
def _bodies() -> re.Pattern[str]:
    heads = "|".join(expand(w) for w in load("people.toml")["body"])
    return re.compile(rf"(?<![\w-])(?:{heads})(?![\w-])", re.IGNORECASE)


@cache
def _described() -> re.Pattern[str]:
    """A person told by what they live with, whatever the noun: "a retired miner with silicosis", "members who have aphasia"."""
    link = r"(?:,?\s(?:who|which)\s(?:has|have|had|lives?\swith|live\swith|lived\swith)|\s(?:living\s)?with|,?\swhose\smembers\shave)"
    illness = "|".join(expand(w) for w in load("words.toml")["illness"])
    return re.compile(
        rf"(?<![\w-])([\w'\u2019-]{{3,}}){link}\s(?:(?:an?|the|severe|mild|early|advanced|young-onset)\s){{0,2}}(?:{illness})(?![\w-])(?!\s(?:survivors?|patients?|people|users|services?|care|clinics?|charit\w+|nurses?|groups?|clubs?|teams?|units?))",
        re.IGNORECASE,
    )


@cache
def _modifiers() -> frozenset[str]:
    return frozenset(w.replace("\u2019", "'") for w in load("people.toml")["modifier"])


@cache
def _not_in_a_name() -> re.Pattern[str]:
    return re.compile(
        rf"(?:{expand('@stop')}|an?|small|same|large|new|other|both|@?\d+|{expand('@number')}|{expand('@vague')}|whole|single)",
        re.IGNORECASE,
    )


def _phrase(text: str, at: int, relative: bool) -> tuple[int, str]:
    """The end and the kind of the longest phrase for people that starts at ``at``; the end is ``at`` where there is none."""
    end, best = at, ""
    for pattern, entry in _candidates(text[at : at + _KEY].lower(), relative):
        hit = pattern.match(text, at)
        if not hit:
            continue
        stop = _tail(text, hit.end()) if entry.tail else hit.end()
        if stop <= end or (entry.tail == "…" and stop == hit.end()) or _thing().match(text, stop):
            continue
        if entry.group != "singular" or _SINGLE_AFTER.search(text, max(0, at - 30), at):
            end, best = stop, entry.kind
    return end, best


@lru_cache(maxsize=4096)
def mask(text: str, population: Population) -> str:
    """The text with every phrase for people replaced by a token of the same length: ⟦L~~~⟧ for lived experience and so on."""
    letters = load("people.toml")["letter"]
    spans: list[tuple[int, int, str]] = []
    done = 0
    relative = _RELATIVE.search(text) is not None
    for word in _WORD.finditer(text):
        at = word.start()
        if at < done:
            continue
        end, kind = _phrase(text, at, relative)
        if end == at:
            continue
        body = _OF_MEMBERS.match(text, end) if kind != "public" else None
        if body:
            end = body.end()
        elif _POSSESSIVE.match(text, end):  # "the tenants' charter": they are named, not present
            done = end
            continue
        start = _grown(text, at, done)
        spans.append((start, end, letters[kind]))
        done = end
    if "with" in text or "who" in text:
        spans[:0] = [
            (*hit.span(), "L")
            for hit in _described().finditer(text)
            if not _is_verb(hit[1]) and not _LISTED.search(text, max(0, hit.start() - 30), hit.start())
        ]
    subjects = _subjects(population)
    if subjects:
        spans += [(*hit.span(), "L") for hit in subjects.finditer(text)]
    spans += [(_name_start(text, hit.start()), hit.end(), "B") for hit in _bodies().finditer(text)]
    return _covered(text, spans)


def _is_verb(word: str) -> bool:
    """Whether the word before "with dementia" does not stand for a person ("living with", "help with")."""
    plain, other = _stops()
    return (
        word.lower() in plain
        or word.lower() in _NOT_A_PERSON
        or other.fullmatch(word) is not None
        or word.lower().endswith("ing")
    )


def _grown(text: str, at: int, floor: int) -> int:
    """The start of a phrase with the modifiers before it ("stroke survivors")."""
    while True:
        before = _WORD_BEFORE.search(text, max(floor, at - 24), at)
        if not before or before.start() < floor or before[1].lower().replace("\u2019", "'") not in _modifiers():
            return at
        at = before.start()


def _name_start(text: str, at: int) -> int:
    """The start of a body's name: up to two words before its last word that can belong to a name."""
    for _ in range(2):
        before = _WORD_BEFORE.search(text, max(0, at - 24), at)
        if not before or _not_in_a_name().fullmatch(before[1]):
            break
        at = before.start()
    return at


def _covered(text: str, spans: list[tuple[int, int, str]]) -> str:
    """The text with each span a token. Of two that overlap the earlier in the list stays; the later keeps what it has on its right."""
    out = list(text)
    taken: list[tuple[int, int]] = []
    for start, end, letter in spans:
        for other_start, other_end in taken:
            if other_start < end and start < other_end:
                start = other_end if other_end < end else end
        while start < end and text[start].isspace():
            start += 1
        if end - start >= 3:
            taken.append((start, end))
            out[start:end] = "⟦" + letter + "~" * (end - start - 3) + "⟧"
    return "".join(out)


@cache
def _subjects(population: Population) -> re.Pattern[str] | None:
    words = subject(population)
    return (
        re.compile(rf"(?<![\w-])(?:{words})\w*\s(?:people|adults|survivors|members|patients|group)\b", re.IGNORECASE)
        if words
        else None
    )


def kinds(phrase: str, population: Population = Population()) -> str:
    """The letters of every kind of people named in the phrase, in order of appearance."""
    return "".join(_TOKEN.findall(mask(phrase, population)))


def classify(phrase: str, population: Population, letters: str = "") -> str:
    """The kind of people a phrase stands for, as the codes of E12.

    Args:
        letters: the kinds that the mask of the whole sentence shows in the phrase; read from the phrase alone where not given.

    Returns:
        le, parent_carer, proxy, public, professional, organisations, mixed, unclear; or "" where the phrase only points back
        ("they", "the group") and so follows the product's other contributors.
    """
    phrase = " ".join(phrase.split())
    if not phrase:
        return ""
    letters = letters or kinds(phrase, population)
    found = set()
    for letter in letters:
        if letter == "L":
            found.add("le")
        elif letter == "F":
            found.add(
                {"carers": "le", "residents": "le", "children": "parent_carer", "unknown": "parent_carer"}.get(
                    population.kind, "proxy"
                )
            )
        elif letter == "A":
            found.add("proxy")
        elif letter == "P":
            found.add("professional")
        elif letter == "O":
            found.add("organisations")
    if not found:
        if "U" in letters:
            return "unclear" if "B" in letters or _UNCLEAR.search(phrase) else "public"
        return "" if "B" in letters or _POINTS_BACK.match(phrase) else "unclear"
    if _OTHERS.search(phrase):
        found.add("professional")
    lived = found & {"le", "parent_carer"}
    others = found - lived
    if lived and others:
        return "mixed"
    if lived:
        return "le" if "le" in lived else "parent_carer"
    if "proxy" in others:
        return "proxy"
    return "professional" if "professional" in others else "organisations"


def is_body(phrase: str) -> bool:
    """Whether the phrase names a body of people ("tenants' panel"), so that "a" before it counts bodies and not people."""
    return _OF_MEMBERS.search(phrase) is not None or _bodies().search(phrase) is not None


@cache
def subject(population: Population) -> str:
    """A pattern for the distinctive words of the population's label ("sickle cell"), or "" where it has none."""
    plain = set(load("population.toml")["plain_words"])
    words = [w for w in re.findall(r"[\w'-]+", population.label.lower()) if w not in plain and len(w) > 3]
    return "|".join(re.escape(w.rstrip("s")) for w in words)
