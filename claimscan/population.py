"""Whom a document is about (codebook E1), because that decides whose voice counts as lived experience.

The title says it best, then the headings, then the people and conditions named near the start. It runs on every document, so it
looks at a bounded part of it and matches words, no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import ahocorasick_rs

from claimscan.lexicon import compiled, load, prefixes
from claimscan.records import Document, Population

_HEAD = 4  # letters of a topic's first word that bring it up
_HEADINGS = 60  # looked at, from the start
_BESIDE = 50  # hits of a topic beside which words for ages are looked for
_TEXT = 12_000  # characters of running text looked at, from the start
_EVERYONE = 0.25
_MAINLY = 0.8  # of the hits of all groups: what makes a text about one of them where no heading says so
_TITLE_CHARS = 240  # a "title" longer than this is a paragraph that was taken for one
# "people with ...", for conditions that no topic foresees.
# Somebody named just before: "patients and carers", "people with dementia, their carers".
_JOINED = re.compile(r"(?:,|\band|\bor|\btheir|/|&)\s*(?:(?:the|their|unpaid|family)\s+)*$", re.IGNORECASE)
_ARTICLE = re.compile(r"^an?\s")
_PEOPLE_WITH = re.compile(
    r"\b(?:people|adults|patients|men|women) (?:with|living with|affected by|experiencing|who have had|who have|of)\s+((?:an?\s)?(?!the\b|a\b|our\b|their\b|lived\b|living\b|any\b|no\b|different\b|all\b|whom\b)"
    r"[\w'\u2019-]{4,}(?:\s(?!and\b|or\b|who\b|to\b|in\b|on\b|at\b|was\b|were\b|is\b|are\b|have\b|has\b)[\w'\u2019-]+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Topic:
    kind: str
    label: str
    pattern: re.Pattern[str]


@cache
def _topics() -> tuple[_Topic, ...]:
    return tuple(_Topic(t["kind"], t["label"], compiled(t["pattern"])) for t in load("population.toml")["topic"])


@cache
def _heads() -> tuple[Any, tuple[tuple[int, ...], ...]]:
    """An automaton over the first letters of all topics' words, and for each the topics that begin so."""
    opens: dict[str, set[int]] = {}
    for i, topic in enumerate(_topics()):
        for head in prefixes(topic.pattern.pattern, _HEAD):
            opens.setdefault(head, set()).add(i)
    return ahocorasick_rs.AhoCorasick(list(opens)), tuple(tuple(sorted(v)) for v in opens.values())


def _hits(text: str) -> Iterator[tuple[int, int, int]]:
    """Every hit of a topic: its index and half-open offsets. One hit a place: the narrower topic, which comes first in the file."""
    automaton, opens = _heads()
    lower = text.lower()
    if len(lower) != len(text):
        lower = (
            text  # a letter that grows when made small; losing a capital here and there is better than a false offset
        )
    starts: dict[int, set[int]] = {}
    for which, start, _ in automaton.find_matches_as_indexes(lower, overlapping=True):
        if not start or not (text[start - 1].isalnum() or text[start - 1] in "-_"):
            starts.setdefault(start, set()).update(opens[which])
    done = 0
    for start in sorted(starts):
        if start >= done:
            found = next(
                ((i, m) for i in sorted(starts[start]) if (m := _topics()[i].pattern.match(text, start))), None
            )
            if found:
                done = found[1].end()
                yield found[0], start, done


def population_of(document: Document) -> Population:
    """Whom the document is about, with the words that show it; kind "unknown" and no label where nothing does.

    Method: codebook E1, decided once per document. Cost is bounded: title, first headings, first characters of text.
    """
    topics = _topics()
    weight = load("population.toml")["weight"]
    score: dict[int, float] = {}
    best: dict[int, tuple[int, int, int, int]] = {}  # topic -> weight, hit start, hit end, page
    hits: dict[int, list[tuple[int, int]]] = {}
    title = ""
    for place, start, end, page in _places(document):
        text = document.text[start:end]
        if place == "title":
            title += " " + text
        for topic, hit_start, hit_end in _hits(text):
            hits.setdefault(topic, []).append((start + hit_start, start + hit_end))
            score[topic] = score.get(topic, 0) + weight[place]
            if weight[place] > best.get(topic, (0, 0, 0, 0))[0]:
                best[topic] = (weight[place], start + hit_start, start + hit_end, page)
    for topic in _only_beside(document.text, score, hits):
        if best[topic][0] == weight["text"]:
            del score[topic]
    other = _people_with(document)
    if not score:
        return other or Population()
    # Topics come in the file with the narrower first; of two with the same score the narrower wins.
    winner = min(score, key=lambda t: (-score[t] * _specific(topics[t].label), t))
    everyone = [t for t in score if _specific(topics[t].label) <= _EVERYONE]
    narrow = sum(v for t, v in score.items() if t not in everyone)
    named = [t for t in everyone if best[t][0] == weight["title"]]
    if winner not in everyone:  # a document for everybody touches on many groups and is about none of them
        if named and best[winner][0] < weight["title"] and score[winner] < narrow / 2:
            winner = named[0]
        elif best[winner][0] < weight["heading"] and score[winner] < min(
            narrow * _MAINLY, sum(score[t] for t in everyone)
        ):
            winner = max(everyone, key=lambda t: score[t])
    if other and score[winner] < weight["heading"]:
        return other
    kind, label = topics[winner].kind, topics[winner].label
    _, start, end, page = best[winner]
    if kind == "adults":
        kind = _turned(document.text, title or document.title, hits[winner])
    quote_start, quote_end = _line(document.text, start, end)
    return Population(label, kind, document.text[quote_start:quote_end], page)


def _only_beside(text: str, score: dict[int, float], hits: dict[int, list[tuple[int, int]]]) -> list[int]:
    """Topics of carers that come only after others ("autistic people, relatives and carers"): the text is not about carers."""
    topics = _topics()
    others = [t for t in score if topics[t].kind != "carers" and _specific(topics[t].label) > _EVERYONE]
    found = []
    for carers in (t for t in score if topics[t].kind == "carers"):
        first = min(hits[carers])[0]
        later = any(min(hits[t])[0] < first and score[t] >= score[carers] for t in others)
        if later or all(_JOINED.search(text, max(0, start - 30), start) for start, _ in hits[carers]):
            found.append(carers)
    return found


def _specific(label: str) -> float:
    """Words for everybody ("residents", "patients") are in every document, so they decide only where nothing narrower does."""
    return {"residents": 0.25, "patients": 0.2, "children and young people": 0.8}.get(label, 1.0)


def _places(document: Document) -> Iterator[tuple[str, int, int, int]]:
    """What is looked at: kind of place, half-open offsets, page."""
    title = document.title.strip()
    at = document.text.find(title) if 0 < len(title) <= _TITLE_CHARS else -1
    taken = (at, at + len(title)) if at >= 0 else (-1, -1)
    if at >= 0:
        yield "title", *taken, _page(document, at)
    headings = left = 0
    for i, block in enumerate(document.blocks):
        if block.kind == "furniture" or taken[0] <= block.start < taken[1]:
            continue
        if block.kind == "heading" and headings < _HEADINGS:
            headings += 1
            first = block.level == 1 or (at < 0 and headings == 1)
            yield (
                "title" if first and block.end - block.start <= _TITLE_CHARS and headings <= 3 else "heading"
            ), block.start, block.end, block.page
        elif left < _TEXT:
            end = min(block.end, block.start + _TEXT - left)
            left += end - block.start
            opening = at < 0 and not headings and i < 2 and block.end - block.start <= _TITLE_CHARS
            opening = opening and document.text[block.end - 1 : block.end] not in (".", "!", "?")  # prose is no title
            yield "title" if opening else "text", block.start, end, block.page
        elif headings >= _HEADINGS:
            return


def _page(document: Document, at: int) -> int:
    return next((p.number for p in document.pages if p.start <= at < p.end), 1)


def _people_with(document: Document) -> Population | None:
    """A condition that no topic foresees, where it is named twice or more near the start."""
    counts: dict[str, list[re.Match[str]]] = {}
    for hit in _PEOPLE_WITH.finditer(document.text, 0, _TEXT):
        if next(_hits(hit.group()), None) is None:
            counts.setdefault(_ARTICLE.sub("", hit[1].lower()).split()[0], []).append(hit)
    hits = max(counts.values(), key=len, default=[])
    if len(hits) < 2:
        return None
    start, end = _line(document.text, *hits[0].span())
    return Population(
        " ".join(min(hits, key=lambda hit: len(hit.group())).group().split()),
        "adults",
        document.text[start:end],
        _page(document, hits[0].start()),
    )


def _turned(text: str, title: str, hits: Sequence[tuple[int, int]]) -> str:
    """ "adults", unless the title or the words beside the topic say that it is for children, or for all ages."""
    turns = load("population.toml")["turns"]
    all_age, children = compiled(turns["all_age"]), compiled(turns["children"])
    if all_age.search(title) or any(
        all_age.search(text, max(0, start - 40), end + 40) for start, end in hits[:_BESIDE]
    ):
        return "all_age"
    return "children" if children.search(title) else "adults"


def _line(text: str, start: int, end: int) -> tuple[int, int]:
    """The line around a span, or the part of a long line that is near it, as offsets of verbatim text."""
    left = max(text.rfind("\n", 0, start) + 1, start - 120)
    right = text.find("\n", end)
    right = min(len(text) if right < 0 else right, end + 120)
    while left < start and (text[left].isspace() or (left and not text[left - 1].isspace())):
        left += 1
    while right > end and (text[right - 1].isspace() or (right < len(text) and not text[right].isspace())):
        right -= 1
    return left, right
