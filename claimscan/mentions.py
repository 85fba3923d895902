"""Finds every trigger (codebook section 0) and says what type of mention it is (section 1, rules T1 to T25).

The rules are data (``data/lexicons/mentions.toml``), tried in the order of tests of T1. Only sentences with a trigger are
parsed, and spaCy is loaded only when there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from claimscan import naming, people
from claimscan.codebook import CLAIM_TYPES, MENTION_TYPES
from claimscan.errors import RuleError
from claimscan.lexicon import compiled, load
from claimscan.records import Clause, Mention, Population, Sentence

_CONDITIONS = ("subject", "thing", "heading", "speaker", "quoted", "title")
_FIELDS = {"id", "type", "pattern", "unless", "form", "mood", "kind", "negated", "yes", "no", "note"}
_FIELDS |= {field + end for field in _CONDITIONS for end in ("", "_not")}


@dataclass(frozen=True, slots=True)
class Hit:
    """One trigger before it has a type.

    ``text`` is its sentence, or of a very long one the stretch around it, so that a hostile text costs no more than its length;
    ``start`` and ``end`` are offsets in ``text``, which begins at ``offset`` in the sentence. ``quoted`` is what :func:`quotation`
    says of it and of the sentences around it in its block.
    """

    sentence: Sentence
    text: str
    offset: int
    start: int
    end: int
    family: str
    quoted: str = ""


@cache
def type_rules(name: str = "rule") -> tuple[dict[str, Any], ...]:
    """The type rules in order, checked. Raises RuleError for an unknown key, a duplicate id or an unknown type."""
    seen: set[str] = set()
    for rule in load("mentions.toml")[name]:
        if unknown := set(rule) - _FIELDS:
            raise RuleError(f"mentions.toml: rule {rule.get('id', '?')} has unknown keys {sorted(unknown)}")
        if rule["id"] in seen or rule["type"] not in {*MENTION_TYPES, "DONE"}:
            raise RuleError(f"mentions.toml: rule {rule['id']} is there twice or has an unknown type")
        seen.add(rule["id"])
    return tuple(load("mentions.toml")[name])


@cache
def _triggers() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((t["family"], compiled(t["pattern"])) for t in load("mentions.toml")["trigger"])


# A first look that is cheap on a whole document: any trigger, or a word that a phrase trigger needs.
_ANY = re.compile(
    r"(?i)\bco\W{0,3}(?:produc|design|creat|develop|writ|wrote|author)|ydgynhyrch|yd\W?gynhyrch|yd\W?(?:ddylun|ddatblyg|greu|ysgrifenn)"
    r"|\bjointly\b|\b(?:together|partnership)\s+(?:with|by)\b|\balongside\b|\bby\s+and\s+with\b|\band\s+led\s+by\b"
)


def possible(text: str) -> bool:
    """Whether the text can hold a trigger at all."""
    return _ANY.search(text) is not None


def hits(sentences: Sequence[Sentence], population: Population) -> Iterator[Hit]:
    """Every trigger in the sentences that is a mention, in reading order (addresses, tags and reference lists are none)."""
    for i, sentence in enumerate(sentences):
        if not possible(sentence.text):
            continue
        spans: list[tuple[int, int, str]] = []
        for family, pattern in _triggers():
            spans += [(m.start(), m.end(), family) for m in pattern.finditer(sentence.text)]
        if not spans:
            spans = list(_phrases(sentence.text, population))
        for start, end, family in sorted(spans):
            left = max(0, start - _AROUND)
            text = sentence.text[left : end + _AROUND]
            before, after = _beside(sentences, i, _AROUND)
            quoted = quotation(mark(text, start - left, end - left).join((before, after)))
            hit = Hit(sentence, text, left, start - left, end - left, family, quoted)
            if family == "phrase" or not is_nothing(hit, _beside(sentences, i)):
                yield hit


_AROUND = 600  # characters of a sentence on each side of a trigger that its type can rest on
_BESIDE = 160  # characters of the neighbouring sentences that tell a reference or a tag


def _beside(sentences: Sequence[Sentence], i: int, reach: int = 0) -> tuple[str, str]:
    """The end of the sentence before and the start of the one after, in the same block; so many characters with ``reach``."""
    block = sentences[i].block
    before = after = ""
    for step in (-1, 1):
        at, words = i + step, ""
        while 0 <= at < len(sentences) and sentences[at].block == block and (not words or len(words) < reach):
            near = sentences[at].text
            words = f"{near} {words}" if step < 0 else f"{words} {near}"
            at += step
        reached = reach or _BESIDE
        if step < 0:
            before = words[-reached:]
        else:
            after = words[:reached]
    return before, after


# Quotation marks. A single one opens only before a word and closes only after one, so that an apostrophe is neither.
_DOUBLE = re.compile(r"[\"\u201c\u201d\u201e\u00ab\u00bb]|&quot;")
_OPENING = re.compile(r"(?:^|[\s(\[\u2014\u2013:*_/|-])[\"\u201d]$|(?:[\u201c\u201e\u00ab]|(?:^|[\s(*_:])&quot;)$")
_SINGLE_OPENS = re.compile(r"(?:^|[\s(\[\u2014\u2013])['\u2018](?=[\w\u27ea])")
_SINGLE_CLOSES = re.compile(r"(?<=[\w.,!?\u27eb\u2026])['\u2019](?!\w)")


def quotation(marked: str) -> str:
    """The marked text with the quotation that the trigger stands in between two curly marks; "" where it stands in none."""
    left, word, right = re.split("(\u27ea[^\u27eb]*\u27eb)", marked, maxsplit=1)
    marks = list(_DOUBLE.finditer(left))
    shut = _DOUBLE.search(right)
    if marks and shut and _OPENING.search(left[: marks[-1].end()]):
        return f"{left[: marks[-1].start()]}\u201c{left[marks[-1].end() :]}{word}{right[: shut.start()]}\u201d{right[shut.end() :]}"
    opened = list(_SINGLE_OPENS.finditer(left + "\u27ea"))
    shut = _SINGLE_CLOSES.search("\u27eb" + right)
    if opened and shut and not _SINGLE_CLOSES.search(left, opened[-1].end()):
        stop = shut.start() - 1
        return f"{left[: opened[-1].end() - 1]}\u201c{left[opened[-1].end() :]}{word}{right[:stop]}\u201d{right[stop + 1 :]}"
    return ""


def is_nothing(hit: Hit, beside: tuple[str, str] = ("", "")) -> bool:
    """Whether a trigger is no mention at all: an address, a tag, a reference, a contents line (T20)."""
    marked = mark(hit.text, hit.start, hit.end)
    for rule in load("mentions.toml")["nothing"]:
        if voids(rule, hit.sentence, marked.join(beside) if rule.get("around") else marked):
            return True
    return False


def voids(rule: dict[str, Any], sentence: Sentence, marked: str) -> bool:
    """Whether a rule of the ``nothing`` table holds for the trigger that is marked."""
    if "heading" in rule and not compiled(rule["heading"]).search(sentence.heading):
        return False
    return compiled(rule["pattern"]).search(marked) is not None and not (
        "unless" in rule and compiled(rule["unless"]).search(marked)
    )


def _phrases(text: str, population: Population) -> Iterator[tuple[int, int, str]]:
    masked = people.mask(text, population)
    for phrase in load("mentions.toml")["phrase"]:
        for match in compiled(phrase["pattern"]).finditer(masked):
            if re.search(phrase["needs"], masked):
                name = "span" if match.group("span") else "span2"
                yield (*match.span(name), "phrase")
                return


def mark(text: str, start: int, end: int) -> str:
    """The sentence with the trigger in double angle brackets, as the type rules see it."""
    return f"{text[:start]}⟪{text[start:end]}⟫{text[end:]}"


def masked(text: str, start: int, end: int, population: Population) -> str:
    """As :func:`mark`, with every phrase for people hidden (:func:`claimscan.people.mask`) but the trigger as printed."""
    hidden = people.mask(text, population)
    return mark(hidden[:start] + text[start:end] + hidden[end:], start, end)


def find(sentences: Sequence[Sentence], titles: str, population: Population) -> tuple[Mention, ...]:
    """Every mention in the sentences with its type, in reading order; ids are m1, m2 ...

    ``titles`` is the document's own names (:func:`claimscan.naming.titles`; T4). A claim about "it" is OTHER_DONE here; grouping
    into products finds what the pronoun stands for.
    """
    found = list(hits(sentences, population))
    if not found:
        return ()
    from claimscan import language  # spaCy is loaded only when something passed the gate

    parsed = iter(language.clauses([_for_parser(hit) for hit in found if hit.family != "welsh"]))
    mentions = []
    for i, hit in enumerate(found, 1):
        clause = next(parsed) if hit.family != "welsh" else Clause("noun", "none")
        mentions.append(_mention(f"m{i}", hit, clause, titles, population))
    return tuple(mentions)


def _for_parser(hit: Hit) -> tuple[str, int, int]:
    """A phrase trigger is parsed at its verb."""
    if hit.family != "phrase":
        return hit.text, hit.start, hit.end
    verb = compiled(r"\b(?:@wrote|@made|made)\b").search(hit.text, hit.start, hit.end)
    return (hit.text, *verb.span()) if verb else (hit.text, hit.start, hit.end)


def _mention(name: str, hit: Hit, clause: Clause, titles: str, population: Population) -> Mention:
    text = hit.text
    marked = mark(text, hit.start, hit.end)
    hidden = masked(text, hit.start, hit.end, population)
    if clause.speaker and _is_owner(clause.speaker, titles):
        clause = replace(clause, speaker="")  # "the council says" in a paper of the council's
    rule, kind = _type(hit, clause, marked, hidden, titles)
    if hit.family == "welsh":
        thing, who = _welsh("thing", marked), _welsh("who", marked)
    else:
        thing, who = clause.thing, _people(clause, hit, text, hidden, population)
        if re.match(r"(?:[\w’'-]+ ){0,2}⟦[LFUP]~*⟧(?!['’])", people.mask(thing, population)):
            thing = ""  # people are not made
        if own := re.search(r"\bour\s+" + re.escape(hit.text[hit.start : hit.end]), thing):
            thing = (
                "this document" if not naming.name(thing[own.end() :]).head else thing
            )  # "details of our co-production"
    if kind == "DONE":
        kind = "DOC_DONE" if is_document(thing, titles, hit.sentence) else "OTHER_DONE"
    data = load("mentions.toml")
    scope = "whole"
    if kind in CLAIM_TYPES:
        if compiled(data["scope"]["presentation"]).search(thing):
            scope = "presentation"
        elif compiled(data["scope"]["part"]).search(text[: hit.end]) or compiled(data["scope"]["part"]).search(thing):
            scope = "part"
    return Mention(
        id=name,
        start=hit.sentence.start + hit.offset + hit.start,
        end=hit.sentence.start + hit.offset + hit.end,
        text=text[hit.start : hit.end],
        page=hit.sentence.page,
        sentence=hit.sentence,
        family=hit.family,
        type=kind,
        rule=rule,
        score=0.85 if rule != "default" else 0.6,
        hedge=kind in CLAIM_TYPES and compiled(data["hedge"]["pattern"]).search(text) is not None,
        scope=scope,
        thing=thing,
        who=who,
    )


def _is_owner(speaker: str, titles: str) -> bool:
    """Whether a speaker is the body whose name is on the document."""
    body = compiled(r"\b@body_noun$").search(speaker)
    return body is not None and compiled(rf"(?-i:[A-Z][\w'-]+ ){body[0]}\b").search(titles) is not None


def _welsh(part: str, marked: str) -> str:
    """The words for what was made, or with whom, in a Welsh sentence."""
    match = compiled(load("mentions.toml")["welsh_words"][part]).search(marked)
    return next(filter(None, match.groups()), "") if match else ""


def _people(clause: Clause, hit: Hit, text: str, masked: str, population: Population) -> str:
    """The words for the people it was made with: after "with" or "by", else the subject, else those brought together for it."""
    after = _named(
        r"^(?: [\w’'-]+){0,6}? (?:with|by|between|alongside) (?P<who>(?:[\w’'-]+ ){0,3}?@who)",
        text,
        masked,
        hit.end + 2,
    )
    named = [w for w in (clause.who, after) if "⟦" in people.mask(w, population)]
    if named:
        # The affected people where the sentence names them, and the fuller words.
        return max(named, key=lambda w: (bool(re.search("⟦[LF]", people.mask(w, population))), len(w)))
    if clause.form in {"past", "present"} and "⟦" in people.mask(clause.subject, population):
        return clause.subject
    if clause.form == "base" and (
        before := _named(
            r"\b(?:with|together|brought|helped|invited) (?P<who>(?:[\w’'-]+ ){0,3}?@who)[^⟦]{0,40}⟪", text, masked, 0
        )
    ):
        return before
    return clause.who


def _named(pattern: str, text: str, masked: str, at: int) -> str:
    """The group ``who`` of a pattern on the mask, as printed. Offsets from ``at`` are those of the marked text."""
    match = compiled(pattern).search(masked[at:])
    if not match:
        return ""
    start, end = (at + i for i in match.span("who"))
    return mark(text, *_trigger_span(masked))[start:end]


def _trigger_span(masked: str) -> tuple[int, int]:
    return masked.index("⟪"), masked.index("⟫") - 1


def _type(hit: Hit, clause: Clause, marked: str, masked: str, titles: str) -> tuple[str, str]:
    for rule in type_rules("welsh" if hit.family == "welsh" else "rule"):
        if fits(rule, hit.sentence, clause, marked, masked, hit.quoted, titles):
            return rule["id"], rule["type"]
    return "default", "PRINCIPLE" if hit.family != "phrase" else "DONE"


def fits(
    rule: dict[str, Any],
    sentence: Sentence,
    clause: Clause,
    marked: str,
    masked: str,
    quoted: str | None = None,
    titles: str = "",
) -> bool:
    """Whether every condition of a type rule holds. ``quoted`` is that of the sentence alone unless given."""
    if "form" in rule and clause.form not in rule["form"]:
        return False
    if "mood" in rule and clause.mood not in rule["mood"]:
        return False
    if "kind" in rule and sentence.kind not in rule["kind"]:
        return False
    if "negated" in rule and clause.negated != rule["negated"]:
        return False
    if quoted is None and "quoted" in rule:
        quoted = quotation(marked)
    clause_words = (clause.subject, clause.thing, sentence.heading, clause.speaker, quoted or "", titles)
    for field, words in zip(_CONDITIONS, clause_words, strict=True):
        if field in rule and not compiled(rule[field]).search(words):
            return False
        if field + "_not" in rule and compiled(rule[field + "_not"]).search(words):
            return False
    if not _matches(rule["pattern"], marked, masked):
        return False
    return not ("unless" in rule and _matches(rule["unless"], marked, masked))


def _matches(pattern: str, marked: str, masked: str) -> bool:
    """Whether a pattern is in the text as printed or, where it asks for people, in the one that hides them."""
    regex = compiled(pattern)
    return regex.search(marked) is not None or ("⟦" in regex.pattern and regex.search(masked) is not None)


_STAMP = 16  # words of a line that can be a stamp on the cover


def is_document(thing: str, titles: str, sentence: Sentence) -> bool:
    """T4: whether the words for what was made stand for the document itself; a bare stamp on the first page does."""
    if not thing:
        return sentence.page == 1 and len(sentence.text.split()) <= _STAMP
    return naming.stands_for_document(naming.name(thing), titles)
