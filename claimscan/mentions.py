"""Finds every trigger (codebook section 0) and says what type of mention it is (section 1, rules T1 to T25).

The rules are data (``data/lexicons/mentions.toml``), tried in the order of tests of T1. Only sentences with a trigger are
parsed, and spaCy is loaded only when there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from claimscan import people
from claimscan.errors import RuleError
from claimscan.lexicon import compiled, load
from claimscan.records import Clause, Mention, Population, Sentence

GRADABLE = frozenset({"DOC_DONE", "OTHER_DONE", "PRACTICE"})
TYPES = ("DOC_DONE", "OTHER_DONE", "PRACTICE", "COMMIT", "PRINCIPLE", "DUTY", "NAME", "OTHER_SENSE", "NEGATED", "REPORTED")

_FIELDS = {"id", "type", "pattern", "unless", "form", "mood", "kind", "negated", "subject", "subject_not", "thing", "heading", "heading_not"}
_FIELDS |= {"yes", "no", "note"}


@dataclass(frozen=True, slots=True)
class Hit:
    """One trigger before it has a type: its sentence, its offsets in it, its family, and the sentences before it."""

    sentence: Sentence
    start: int
    end: int
    family: str
    before: tuple[Sentence, ...] = ()


@cache
def type_rules(name: str = "rule") -> tuple[dict[str, Any], ...]:
    """The type rules in order, checked. Raises RuleError for an unknown key, a duplicate id or an unknown type."""
    seen: set[str] = set()
    for rule in load("mentions.toml")[name]:
        if unknown := set(rule) - _FIELDS:
            raise RuleError(f"mentions.toml: rule {rule.get('id', '?')} has unknown keys {sorted(unknown)}")
        if rule["id"] in seen or rule["type"] not in {*TYPES, "DONE"}:
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
            if family == "phrase" or not is_nothing(sentence, start, end, _beside(sentences, i)):
                yield Hit(sentence, start, end, family, tuple(sentences[max(0, i - _LOOK_BACK) : i]))


_LOOK_BACK = 3  # sentences in which a pronoun finds its noun
_BESIDE = 160  # characters of the neighbouring sentences that tell a reference or a tag


def _beside(sentences: Sequence[Sentence], i: int) -> tuple[str, str]:
    """The end of the sentence before and the start of the one after, in the same block."""
    block = sentences[i].block
    before = sentences[i - 1].text[-_BESIDE:] + " " if i and sentences[i - 1].block == block else ""
    after = " " + sentences[i + 1].text[:_BESIDE] if i + 1 < len(sentences) and sentences[i + 1].block == block else ""
    return before, after


def is_nothing(sentence: Sentence, start: int, end: int, beside: tuple[str, str] = ("", "")) -> bool:
    """Whether a trigger is no mention at all: an address, a tag, a reference, a contents line (T20)."""
    marked = mark(sentence.text, start, end)
    for rule in load("mentions.toml")["nothing"]:
        if "heading" in rule and not compiled(rule["heading"]).search(sentence.heading):
            continue
        text = marked.join(beside) if rule.get("around") else marked
        if compiled(rule["pattern"]).search(text) and not ("unless" in rule and compiled(rule["unless"]).search(text)):
            return True
    return False


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


def find(sentences: Sequence[Sentence], title: str, population: Population) -> tuple[Mention, ...]:
    """Every mention in the sentences with its type, in reading order; ids are m1, m2 ...

    ``title`` is the document's own title (T4: what "this strategy" and its name stand for).
    """
    found = list(hits(sentences, population))
    if not found:
        return ()
    from claimscan import language  # spaCy is loaded only when something passed the gate

    parsed = iter(language.clauses([_for_parser(hit) for hit in found if hit.family != "welsh"]))
    mentions = []
    for i, hit in enumerate(found, 1):
        clause = next(parsed) if hit.family != "welsh" else Clause("noun", "none")
        mentions.append(_mention(f"m{i}", hit, clause, title, population))
    return tuple(_one_per_coordination(mentions))


def _for_parser(hit: Hit) -> tuple[str, int, int]:
    """A phrase trigger is parsed at its verb."""
    text = hit.sentence.text
    if hit.family != "phrase":
        return text, hit.start, hit.end
    verb = compiled(r"\b(?:@wrote|@made|made)\b").search(text, hit.start, hit.end)
    return (text, *verb.span()) if verb else (text, hit.start, hit.end)


def _one_per_coordination(mentions: list[Mention]) -> Iterator[Mention]:
    """ "Co-design, co-deliver and co-evaluate" or "co-production and co-design": neighbours in one list keep their own spans."""
    yield from mentions


def _mention(name: str, hit: Hit, clause: Clause, title: str, population: Population) -> Mention:
    text = hit.sentence.text
    marked = mark(text, hit.start, hit.end)
    masked = mark(people.mask(text, population), hit.start, hit.end)
    masked = masked[: hit.start + 1] + text[hit.start : hit.end] + masked[hit.end + 1 :]
    rule, kind = _type(hit, clause, marked, masked)
    who = _people(clause, hit, text, masked, population)
    thing = _antecedent(clause.thing, hit, title)
    if kind == "DONE":
        kind = "DOC_DONE" if is_document(thing, text, title, hit.sentence) else "OTHER_DONE"
    data = load("mentions.toml")
    scope = "whole"
    if kind in GRADABLE:
        if compiled(data["scope"]["presentation"]).search(thing):
            scope = "presentation"
        elif compiled(data["scope"]["part"]).search(text[: hit.end]) or compiled(data["scope"]["part"]).search(thing):
            scope = "part"
    return Mention(
        id=name,
        start=hit.sentence.start + hit.start,
        end=hit.sentence.start + hit.end,
        text=text[hit.start : hit.end],
        page=hit.sentence.page,
        sentence=hit.sentence,
        family=hit.family,
        type=kind,
        rule=rule,
        score=0.85 if rule != "default" else 0.6,
        hedge=kind in GRADABLE and compiled(data["hedge"]["pattern"]).search(text) is not None,
        scope=scope,
        thing=thing,
        who=who,
    )


def _people(clause: Clause, hit: Hit, text: str, masked: str, population: Population) -> str:
    """The words for the people it was made with: after "with" or "by", else the subject, else those brought together for it."""
    if clause.who and "⟦" in people.mask(clause.who, population):
        return clause.who
    if after := _named(r"^(?: [\w’'-]+){0,6}? (?:with|by|between|alongside) (?P<who>(?:[\w’'-]+ ){0,3}?@who)", text, masked, hit.end + 2):
        return after
    if clause.form in {"past", "present"} and "⟦" in people.mask(clause.subject, population):
        return clause.subject
    if clause.form == "base" and (before := _named(r"\b(?:with|together|brought|helped|invited) (?P<who>(?:[\w’'-]+ ){0,3}?@who)[^⟦]{0,40}⟪", text, masked, 0)):
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


def _antecedent(thing: str, hit: Hit, title: str) -> str:
    """The words that a pronoun for the thing made stands for: the nearest words for a product in the text before it."""
    words = load("mentions.toml")["document"]
    if not compiled(words["pronoun"]).search(thing):
        return thing
    earlier = [hit.sentence.text[: hit.start], *(s.text for s in reversed(hit.before) if s.block == hit.sentence.block)]
    for name in ("deictic_noun", "definite_noun"):
        for text in earlier:
            if match := compiled(words[name]).search(text):
                return match.group().strip()
    return thing


def _type(hit: Hit, clause: Clause, marked: str, masked: str) -> tuple[str, str]:
    for rule in type_rules("welsh" if hit.family == "welsh" else "rule"):
        if fits(rule, hit.sentence, clause, marked, masked):
            return rule["id"], rule["type"]
    return "default", "PRINCIPLE" if hit.family != "phrase" else "DONE"


def fits(rule: dict[str, Any], sentence: Sentence, clause: Clause, marked: str, masked: str) -> bool:
    """Whether every condition of a type rule holds."""
    if "form" in rule and clause.form not in rule["form"]:
        return False
    if "mood" in rule and clause.mood not in rule["mood"]:
        return False
    if "kind" in rule and sentence.kind not in rule["kind"]:
        return False
    if "negated" in rule and clause.negated != rule["negated"]:
        return False
    for field, words in (("subject", clause.subject), ("thing", clause.thing), ("heading", sentence.heading)):
        if field in rule and not compiled(rule[field]).search(words):
            return False
        if field + "_not" in rule and compiled(rule[field + "_not"]).search(words):
            return False
    if not any(compiled(rule["pattern"]).search(t) for t in (marked, masked)):
        return False
    return not ("unless" in rule and any(compiled(rule["unless"]).search(t) for t in (marked, masked)))


def content_words(phrase: str) -> set[str]:
    """The words of a phrase that tell one product from another, lower case, plural s dropped."""
    stop = set(load("products.toml")["stop_words"])
    return {w.rstrip("s") for w in re.findall(r"[\w'’-]+", phrase.lower()) if w not in stop and not w.startswith("co-produc") and not w.startswith("co-design")}


def is_document(thing: str, text: str, title: str, sentence: Sentence) -> bool:
    """T4: whether the words for what was made stand for the document itself."""
    words = load("mentions.toml")["document"]
    other = compiled(words["other"]).search(thing)
    if other and other.group().lower() not in title.lower():
        return False
    noun = compiled(words["nouns"])
    if not thing:
        # A stamp on the cover, or a bare "Co-produced with ..." line, is about the document.
        return sentence.page == 1 and len(text.split()) <= 16
    if compiled(words["pronoun"]).search(thing):
        return True
    if compiled(words["deictic"]).search(thing):
        return noun.search(thing) is not None
    named = content_words(thing)
    if not named:
        return noun.search(thing) is not None and bool(noun.search(title))
    titled = content_words(title)
    if len(named) > 1 and named <= titled:
        return True
    return bool(titled) and bool(noun.search(thing)) and named <= titled | {"new", "our"}


def with_product(mention: Mention, product: str) -> Mention:
    return replace(mention, product=product)
