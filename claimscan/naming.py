"""When two phrases name the same thing: "this strategy", its title, "it"; not its Easy Read version (codebook T4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from claimscan.lexicon import compiled, load
from claimscan.records import Document

_WORD = re.compile(r"[\w'\u2019-]+")


@cache
def _words(name: str) -> frozenset[str]:
    return frozenset(load("products.toml")[name])


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return compiled(load("products.toml")["pattern"][name])


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    word = re.sub(r"['\u2019]s?$", "", word.lower())
    if word in _words("stop_words"):
        return word
    for long, short in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if word.endswith(long) and len(word) > len(long) + 2 and not word.endswith("ss"):
            return word[: -len(long)] + short
    return word


@dataclass(frozen=True, slots=True)
class Name:
    """A phrase for a thing made: its head noun, the words that tell it apart, and whether it points to this document.

    ``deictic`` is "this strategy".
    """

    phrase: str
    head: str
    marks: frozenset[str]
    deictic: bool
    other: bool

    @property
    def bare(self) -> bool:
        return not self.marks

    @property
    def part(self) -> bool:
        """Whether it is only a part or a state of some thing: "the priorities", "the final version"."""
        return self.head in _words("part_heads") and not self.other and not self.deictic


def name(phrase: str) -> Name:
    """The parts of a phrase that tell what it names."""
    clean = " ".join(phrase.split()).strip(" .,;:\u2018\u2019'\"()")
    short = re.split(r"\b(?:which|who|that|whose|where)\b|,", clean)[0].strip() or clean
    before = re.split(
        r"\b(?:of|for|on|about|to|in|with|by|from|at|across|used|called|known|held|published|launched|adopted|given|sent)\b",
        short,
        maxsplit=1,
    )
    words = [_stem(w) for w in _WORD.findall(before[0])]
    content = [w for w in words if w not in _words("stop_words")]
    tail = [_stem(w) for w in _WORD.findall(before[1])] if len(before) > 1 else []
    head = content[-1] if content else (words[-1] if words else "")
    marks = {w for w in content[:-1] + tail if w not in _words("stop_words")}
    return Name(
        phrase=clean,
        head=head,
        marks=frozenset(marks),
        deictic=_pattern("deictic").search(clean) is not None,
        other=_pattern("other").search(clean) is not None,
    )


def same(a: Name, b: Name) -> bool:
    """Whether two names stand for one thing: the same kind of thing, and no word that tells them apart."""
    if not a.head or a.head != b.head or a.other != b.other:
        return False
    if a.marks and b.marks:
        return a.marks <= b.marks or b.marks <= a.marks or len(a.marks & b.marks) >= 2
    return True


def stands_for_document(thing: Name, titles: str) -> bool:
    """T4: whether a name is the document itself: "this strategy", its title, or its kind of thing with no other mark.

    ``titles`` is what :func:`titles` gives.
    """
    if thing.deictic and _pattern("other").search(thing.phrase) and _pattern("other").search(titles):
        return True  # "this Easy Read" in the Easy Read version itself
    if thing.other or not thing.head:
        return False
    if thing.deictic:
        return _pattern("document").search(thing.phrase) is not None
    titled = {_stem(w) for w in _WORD.findall(titles)} - _words("stop_words")
    if thing.head not in titled:
        return False
    if _pattern("document").search(thing.phrase) is None:
        # The title itself, as a name: "Steady Ground was co-produced".
        return len(thing.marks) > 0 and thing.phrase.casefold().removeprefix("the ") in titles.casefold()
    return thing.marks <= titled or len(thing.marks & titled) >= 2


_COVER_LINES = 4
_LONGEST_LINE = 130


def titles(document: Document) -> str:
    """The document's own names: its title, and the short lines of its cover that say what it is."""
    lines = list(dict.fromkeys((document.title, re.split(r":| [\u2013\u2014-] ", document.title)[0].strip())))
    for block in document.blocks[:12]:
        if block.kind == "furniture" or block.page > 1:
            continue
        line = " ".join(document.text[block.start : block.end].split())
        if len(line) > _LONGEST_LINE or (line.endswith(".") and line.count(" ") > 12) or len(lines) > _COVER_LINES:
            break
        if line not in lines:
            lines.append(line)
    return " / ".join(filter(None, lines))


@lru_cache(maxsize=4096)
def references(text: str) -> tuple[tuple[int, int, Name], ...]:
    """Every phrase in a text that names a thing that can be made, with its offsets ("the pathway", "our Carers Plan")."""
    return tuple((m.start(), m.end(), name(m.group())) for m in _pattern("reference").finditer(text))


@dataclass(frozen=True, slots=True)
class Alias:
    """How a text may call a product for short: its proper names, and its head noun where no other product shares it."""

    proper: tuple[str, ...]
    head: str
    marks: frozenset[str]
    shared: bool


_PROPER = re.compile(
    r"[\u2018'\u201c\"](?P<quoted>[^\u2019\u201d\"]{4,60})[\u2019'\u201d\"]"
    r"|(?P<plain>[A-Z][\w\u2019'&-]*(?: (?:(?:of|the|for|and|to|in|at|on|a|our|my|is) )?[A-Z0-9][\w\u2019'&-]*)+)"
)


def alias(phrase: str, rivals: frozenset[str]) -> Alias:
    """What a product called ``phrase`` may be called; ``rivals`` are the heads of the other products."""
    named = name(phrase)
    phrase = re.split(r" (?:was|were|is|are|has|have|had|with|by|from|that|which|who|where)\b", phrase)[0]
    proper = tuple(
        found
        for match in _PROPER.finditer(re.sub(r"^(?:The|A|An|This|Our) ", "", phrase))
        if (found := match["quoted"] or match["plain"]) and len(found.split()) > 1
    )
    return Alias(proper, named.head, named.marks, named.head in rivals)


_DETERMINERS = frozenset({"the", "this", "that", "these", "those", "our", "its", "their", "your", "my", "whole"})


def called(alias: Alias, text: str, kind: str) -> int:
    """Where a text calls a product by an alias, or -1: "Winter Warm", "the film", "Film. It was shot in eight days"."""
    for proper in alias.proper:
        if (at := text.find(proper)) >= 0:
            return at
    if not alias.head or alias.head in PRONOUN_HEADS or alias.head[:-1] not in text.lower():
        return -1  # all but the last letter: "strategies" has the head "strategy"
    tokens = list(_WORD.finditer(text))
    for i, token in enumerate(tokens):
        if token.group()[:1].lower() != alias.head[0] or _stem(token.group()) != alias.head:
            continue
        between: list[str] = []
        j = i - 1
        while j >= 0 and i - j <= 4 and tokens[j].group().lower() not in _DETERMINERS:
            between.insert(0, _stem(tokens[j].group()))
            j -= 1
        determined = j >= 0 and i - j <= 4
        label = (j < 0 or not determined) and _is_label(text, tokens, i, kind)
        if not determined and not label:
            continue
        words = {w for w in (between if determined else [_stem(t.group()) for t in tokens[:i]])} - _words("stop_words")
        if words & alias.marks or (not words and not alias.shared):
            return tokens[j].start() if determined else token.start()
    return -1


def _is_label(text: str, tokens: list[re.Match[str]], i: int, kind: str) -> bool:
    """Whether the words up to a head stand by themselves: a heading, or "Film." or "Lot 3 specification |" before what is said of it."""
    if kind == "heading":
        return True
    return i < 5 and re.match(r"\s*(?:[:.|?]|$|\s[\u2013\u2014-]\s)", text[tokens[i].end() :]) is not None


PRONOUN_HEADS = frozenset({"it", "they", "which", "this", "them", "everything", "all", "one", "thing", "work"})
