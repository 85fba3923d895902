"""Finds the evidence a document gives: spans that fill the slots of codebook section 2.

Rules are data (``data/lexicons/evidence_*.toml``). This module decides where they may look: only sentences with a gate word,
never a clause about the future (E5), and it turns a match into a record with a self-contained verbatim quote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import ahocorasick_rs

from claimscan import counting, laid_out, learned, people
from claimscan.lexicon import Rule, compiled, load, rules
from claimscan.needs import Needs
from claimscan.records import Evidence, Mention, Population, Sentence

_CLAUSE_REACH = 400  # characters looked back over for the start of a clause
_QUOTE_WORDS = 45  # a longer sentence is cut to the clauses around the match


@cache
def all_rules() -> tuple[Rule, ...]:
    return tuple(rule for name in load("evidence.toml")["files"] for rule in rules(name))


@cache
def _gate() -> tuple[Any, tuple[tuple[int, ...], ...]]:
    """An automaton over every gate word, and for each word the rules it opens."""
    opens: dict[str, list[int]] = {}
    for i, rule in enumerate(all_rules()):
        for word in rule.gate:
            opens.setdefault(word, []).append(i)
    return ahocorasick_rs.AhoCorasick(list(opens)), tuple(tuple(v) for v in opens.values())


@cache
def _needs() -> Needs:
    return Needs(rule.pattern for rule in all_rules())


def gated(text: str) -> list[int]:
    """Indexes into :func:`all_rules` of the rules whose gate words occur in the text, in order."""
    automaton, opens = _gate()
    hits = {p for p, _, _ in automaton.find_matches_as_indexes(text.lower(), overlapping=True)}
    return sorted({i for p in hits for i in opens[p]})


def find(
    sentences: Iterable[Sentence], population: Population, mentions: Sequence[Mention] = ()
) -> tuple[Evidence, ...]:
    """All evidence in the sentences, in reading order, not yet linked to products (``product`` is ""). Ids are e1, e2 ..."""
    cut = tuple(sentences)
    look = looker(cut, population, mentions)
    return numbered(e for index in range(len(cut)) for e in look(index))


def looker(
    sentences: Sequence[Sentence], population: Population, mentions: Sequence[Mention] = ()
) -> Callable[[int], tuple[Evidence, ...]]:
    """What gives the evidence of the sentence at an index, found when first asked for: most sentences of a long document can be
    about no product, so nobody asks.

    The same slot and value is given once per sentence, by its best rule. The people whom a claim itself names ("co-produced with
    tenants") are evidence of who took part, as the parse of the ``mentions`` gives them. Ids are for the time being.
    """
    claims: dict[int, list[Mention]] = {}
    unmade: dict[int, list[tuple[int, int, bool]]] = {}
    for mention in mentions:
        at = mention.sentence.start
        if mention.type in _CLAIMS and mention.who:
            claims.setdefault(at, []).append(mention)
        elif mention.type in _UNMADE and mention.rule != "default":
            part = _part(mention.sentence.text, mention.start - at, mention.end - at)
            unmade.setdefault(at, []).append((*part, mention.type in _NAMES_WHO))

    set_out = cache(lambda: laid_out.find(sentences, population))

    @cache
    def look(index: int) -> tuple[Evidence, ...]:
        sentence = sentences[index]
        beside = set_out().get(index)
        if beside == ():
            return ()  # the head of a table
        best: dict[tuple[str, str], Evidence] = {}
        for evidence in (
            *_in_sentence(sentence, population, unmade.get(sentence.start, ())),
            *_claimed(claims.get(sentence.start, ()), population),
            *(beside or ()),
        ):
            key = (evidence.slot, evidence.value)
            if key not in best or evidence.score > best[key].score:
                best[key] = evidence
        slots = {slot for slot, _ in best}
        for evidence in _learned(sentence, population, unmade.get(sentence.start, ())):
            if evidence.slot not in slots:
                best[evidence.slot, evidence.value] = evidence
        found = sorted(best.values(), key=lambda e: (e.start, e.end, e.slot, e.value))
        return tuple(replace(e, id=f"{index}.{i}") for i, e in enumerate(found, 1))

    return look


def numbered(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The evidence with ids e1, e2 ... in the order given."""
    return tuple(replace(e, id=f"e{i}") for i, e in enumerate(evidence, 1))


def _in_sentence(
    sentence: Sentence, population: Population, unmade: Sequence[tuple[int, int, bool]] = ()
) -> Iterator[Evidence]:
    """What the rules find. ``unmade`` are parts that speak of co-producing as a plan, a duty or an idea (E5): nothing there is done,
    though a plan or a duty (True) may still say with whom."""
    opened = gated(sentence.text)
    if not opened:
        return
    masked = people.mask(sentence.text, population)
    there = set(_LETTER.findall(masked))
    with_bodies = _BODY.sub(lambda m: sentence.text[slice(*m.span())], masked)
    texts = (masked, with_bodies, sentence.text)
    met: list[int | None] = [None, None, None]
    for i in opened:
        rule = all_rules()[i]
        if rule.among and there.isdisjoint(rule.among):
            continue
        which = 2 if rule.printed else 1 if rule.bodies else 0
        text = texts[which]
        seen = met[which]
        if seen is None:
            seen = met[which] = _needs().met(text)
        if not _needs().may_match(i, seen):
            continue
        matches = list(compiled(rule.pattern).finditer(text))
        if matches and rule.unless:
            matches = [m for m in matches if not compiled(rule.unless).search(text, *_clause(text, m))]
        for match in matches:
            told = rule.slot == "contributors"
            if not rule.future and any(
                match.start() < end and start < match.end() and not (told and names) for start, end, names in unmade
            ):
                continue
            if rule.future or not is_future(sentence.text, match):
                yield from apply(rule, match, sentence, population)


def _learned(sentence: Sentence, population: Population, unmade: Sequence[tuple[int, int, bool]]) -> Iterator[Evidence]:
    """What the model of wording finds in the sentence, in the clause where it is surest; never where something is only planned, owed
    or meant (E5), and never in a heading."""
    if sentence.kind == "heading" or len(sentence.text) < _SAYS_SOMETHING:
        return
    masked = people.mask(sentence.text, population)
    stated: dict[str, tuple[str, float, int, int]] = {}
    for start, end in _clauses(sentence.text):
        for slot, (value, p) in learned.model().stated(masked[start:end]).items():
            if p > stated.get(slot, ("", 0.0, 0, 0))[1]:
                stated[slot] = value, p, start, end
    for slot, (value, p, start, end) in stated.items():
        clause = _WHOLE.match(sentence.text, start, end)
        if clause is None or any(start < e and s < end for s, e, _ in unmade) or is_future(sentence.text, clause):
            continue
        letters = "".join(
            letter for letter in _LETTER.findall(_FOR_WHOM.sub("", masked[start:end])) if letter in "LFAU"
        )
        who = people.classify(sentence.text[start:end], population, letters) if letters else ""
        detail: dict[str, Any] = {}
        if slot == "contributors":
            if who in ("", "unclear"):
                continue
            value = who
        if slot == "count":
            counted = counting.people(masked[start:end], sentence.text[start:end], value)
            if counted is None and value not in ("vague", "proportion_only"):
                continue
            lived = "le_n" if who in ("le", "parent_carer") else "total_n"
            detail = {
                "le_n": None,
                "total_n": None,
                "unit": counting.unit(sentence.text),
                "kind": value,
                lived: counted,
            }
        yield Evidence(
            *("", slot, value, sentence.start + start, sentence.start + end, sentence.text[start:end], sentence.page),
            *(f"learned-{slot}", p),
            who="" if who == "unclear" else who,
            detail=detail,
        )


_SAYS_SOMETHING = 12  # characters
# "A strategy for children": whom a thing is for is not who took part.
_FOR_WHOM = re.compile(r"\b(?:for|about|of|affecting|supporting|serving) (?:[\w-]+ ){0,2}\u27e6\w~*\u27e7")
_WHOLE = re.compile(r"(?s).+")


def _clauses(text: str) -> list[tuple[int, int]]:
    """A short sentence as a whole; a long one cut into its clauses, which the model reads one by one."""
    if len(text.split()) <= _QUOTE_WORDS:
        return [(0, len(text))]
    ends = [0, *(m.end() for m in _CLAUSE.finditer(text)), len(text)]
    spans = [(a, a + len(text[a:b].rstrip())) for a, b in zip(ends, ends[1:])]
    return [(a, b) for a, b in spans if len(text[a:b].split()) > _WORDS]


_WORDS = 3  # a clause of fewer says nothing by itself


def _claimed(mentions: Sequence[Mention], population: Population) -> Iterator[Evidence]:
    """E12: the people named in the claim itself."""
    for mention in mentions:
        who = people.classify(mention.who, population)
        if who not in ("", "unclear"):
            text = mention.sentence.text
            start, end = quote_span(text, mention.start - mention.sentence.start, mention.end - mention.sentence.start)
            at = mention.sentence.start
            yield Evidence(
                "", "contributors", who, at + start, at + end, text[start:end], mention.page, "claim-who", 0.8, who
            )


def _clause(text: str, match: re.Match[str]) -> tuple[int, int]:
    """The part of a sentence between semicolons that a match lies in: what rules a rule out must stand there."""
    right = text.find("; ", match.end())
    return text.rfind("; ", 0, match.start()) + 1, len(text) if right < 0 else right


_UNMADE = frozenset({"COMMIT", "DUTY", "PRINCIPLE", "OTHER_SENSE"})
_NAMES_WHO = frozenset({"COMMIT", "DUTY"})
_PART = re.compile(
    r"[;:]\s|\s[–—|]\s|,\s+(?:and|but|so|which|who|while|where|after|before|because)\s|\s(?:and|but|so)\s+(?=(?:we|they|it|the|this|our)\s)"
)


def _part(text: str, start: int, end: int) -> tuple[int, int]:
    """The clause, cell or phrase around a span, as offsets."""
    left = max((m.end() for m in _PART.finditer(text, 0, start)), default=0)
    return left, next((m.start() for m in _PART.finditer(text, end)), len(text))


_CLAIMS = frozenset({"DOC_DONE", "OTHER_DONE", "PRACTICE"})
_BODY = re.compile("\u27e6B~*\u27e7")
_LETTER = re.compile("\u27e6(\\w)~*\u27e7")
_REVIEWERS = frozenset({"le", "parent_carer", "proxy", "professional", "public"})


def apply(rule: Rule, match: re.Match[str], sentence: Sentence, population: Population) -> Iterator[Evidence]:
    """The records that one match of a rule makes, or nothing where its people do not fit the rule."""
    groups = printed(match, sentence.text)
    named = next((name for name in groups if name.startswith("who")), "")
    left, right = _one_clause(match, *match.span(named)) if named else (0, 0)
    if whose := _WHOSE.search(match.string, max(0, left - 150), right):
        left, right = whose.span("body")
    if named and rule.slot == "authorship":
        left, right = _with_others(match.string, left, right)
    phrase = sentence.text[left:right]
    seen = "".join(_LETTER.findall(match.string, left, right)) if named else ""
    letters = set(seen)
    if rule.among and not letters & set(rule.among):
        return
    who = rule.who or people.classify(phrase, population, seen)
    start, end = quote_span(sentence.text, *(match.span("quote") if groups.get("quote") else match.span()))
    also = rule.also if not rule.also_among or letters & set(rule.also_among) else {}
    for slot, value in ((rule.slot, rule.value), *also.items()):
        detail = dict(rule.detail)
        if value in ("@who", "@with"):
            value = _named(slot, value, who, letters)
            if not value:
                continue
        if slot == "count":
            count = _count(rule, match, groups, who, sentence.text, population)
            if count is None:
                continue
            detail |= count
            value = str(detail["kind"])
        elif often := next((v for k, v in groups.items() if k.startswith("frequency")), ""):
            detail["frequency"] = often
        yield Evidence(
            id="",
            slot=slot,
            value=value,
            start=sentence.start + start,
            end=sentence.start + end,
            quote=sentence.text[start:end],
            page=sentence.page,
            rule=rule.id,
            score=rule.score,
            who=who,
            certainty=rule.certainty,
            detail=detail,
        )


_BEFORE_PEOPLE = re.compile(r"\b(?:by|with|to|from)\s+(?:[\w\u2019'-]+\s+){0,3}$")
_LAST_JOIN = re.compile(r",?\s+(?:and|while|but)\s+(?=[^\u27e6]*\u27e6\w~*\u27e7[^\u27e6\u27e7]*$)")
_VERB = re.compile(
    r"\s+(?:(?:then|also|later|only|all|both|each)\s+)?(?:was|were|had|have|has|did|read|saw|gave|met|said|told|came|chose|made|took|sat|ran|led|wrote|went|"
    r"(?!based|employed|named|called|appointed|elected|supported|nominated|selected|aged|trained|interested|involved|affected|invited)\w+ed(?!\s+(?:by|at|in)\b))\b"
)


# "The Network for Parents, seven of whose members wrote it": the members are what the body is of.
_WHOSE = re.compile(r"(?P<body>\u27e6[LFAU]~*\u27e7),? (?:[\w-]+ )?of (?:whose|whom) (?:\u27e6[UB]~*\u27e7)?$")


_OTHERS_BEFORE = re.compile(
    r"(?:^|[;:,(|]\s|[.\u2013\u2014-]\s|\b(?:and|but|when|then|by|that|between)\s)(?P<all>(?:(?!by\b|and\b)[\w\u2019'-]+\s){0,4}?(?:\u27e6B~*\u27e7\sof\s(?:[\w-]+\s){0,2})?\u27e6[LFAPOU]~*\u27e7"
    r"(?:\s(?:of|from|at|in|on)\s[^,;.\u27e6]{1,30})?(?:,|,?\sand|,?\swith)\s(?:[\w\u2019'-]+\s){0,4})$"
)
_OTHERS_AFTER = re.compile(
    r"(?:\s(?:of|from|at|in|on)\s[^,;.\u27e6]{1,30})?(?:,?\sand|,?\swith|,?\salongside|,?\stogether\swith)\s"
    r"(?:(?!(?:was|were|had|have|has|who|which|then|it|they|we|is|are|to|for|by|\w+ed)\b)[\w\u2019'-]+\s){0,5}\u27e6[LFAPOU]~*\u27e7"
)


def _with_others(text: str, start: int, end: int) -> tuple[int, int]:
    """The people and those joined to them in other words: "a nurse and several of the widows", "mums and day-centre staff"."""
    before = _OTHERS_BEFORE.search(text, max(0, start - 120), start)
    after = _OTHERS_AFTER.match(text, end)
    if after and _VERB.match(text, after.end()):
        after = None
    return before.start("all") if before else start, after.end() if after else end


def _one_clause(match: re.Match[str], start: int, end: int) -> tuple[int, int]:
    """The people of one clause. "Written by parents, and autistic adults read it" runs two clauses' people together:
    those before the join belong to "by", those after it to the verb."""
    text = match.string
    if not (join := _LAST_JOIN.search(text, start, end)) or not _VERB.match(text, end):
        return start, end
    if not _BEFORE_PEOPLE.search(text, max(0, start - 60), start):
        return start, end
    return (start, join.start()) if match.start() < start and match.end() <= end else (join.end(), end)


def _named(slot: str, how: str, who: str, letters: set[str]) -> str:
    """The value that the kind of people named gives to a slot, "" where it gives none (codebook 2.1, 2.2).

    ``how`` is "@with" where the people wrote together with the organisation that speaks, else "@who".
    """
    if slot == "reviewers":
        return {"mixed": "le", "organisations": "professional"}.get(who, who if who in _REVIEWERS else "")
    if slot != "authorship":
        return who
    others = how == "@with" or bool(letters & {"P", "O"})
    if who in ("le", "parent_carer", "mixed"):
        return "mixed_with_le" if others or who == "mixed" else "le"
    if who == "proxy":
        return "mixed_no_le" if others else "proxy"
    return "professional" if who in ("professional", "organisations") else ""


_BREAK_REACH = 24  # characters looked at past the match's start, for the participle that opens a clause
_BREAK = re.compile(
    r"[;:.]\s|\s[–—-]\s|,\s(?:and|but|which|who)\s|\bbut\b|\bwhen\b"
    r"|,\s(?=(?:co-?\w+ed|co-?written|written|developed|made|drawn up)\s(?:with|by|jointly)\b)"
)


def is_future(text: str, match: re.Match[str]) -> bool:
    """Whether the match lies in a clause about what is to come (E5)."""
    window = max(0, match.start() - _CLAUSE_REACH)
    near = text[window : match.start() + _BREAK_REACH]
    breaks = (window + m.end() for m in _BREAK.finditer(near))
    clause_start = max((at for at in breaks if at <= match.start()), default=window)
    hit = compiled(load("evidence.toml")["future"]["pattern"]).search(text, clause_start, match.end())
    return hit is not None


def printed(match: re.Match[str], text: str) -> dict[str, str]:
    """The groups of a match on the mask as the words printed in the sentence."""
    return {name: text[slice(*match.span(name))] for name, value in match.groupdict().items() if value is not None}


_OF_SEVERAL_KINDS = re.compile(
    r",? (?:(?:and|or) )?(?:[\w\u2019'-]+, ){0,2}(?:(?:and|or) )?(?:\u27e6[FAPO]~*\u27e7|relatives|organisations|professionals|staff)"
    r"(?![^.;]{0,30}\b(?:who|of whom)\b)"
)


def _count(
    rule: Rule, match: re.Match[str], groups: dict[str, str], who: str, text: str, population: Population
) -> dict[str, Any] | None:
    """The fields of codebook 2.3. Numbers as printed; a number of people with lived experience is le_n, any other total_n."""
    kind = str(rule.detail.get("kind", ""))
    count: dict[str, Any] = {"le_n": None, "total_n": None, "unit": rule.detail.get("unit") or counting.unit(text)}
    n = counting.number(groups["n"]) if groups.get("n") else None
    if n is None and kind == "exact":
        n = 1  # "our policy officer, who is autistic": one person, with no number word
    printed_total = next((v for k, v in groups.items() if k.startswith("total")), "")
    total = counting.number(printed_total) if printed_total else None
    if n == 1 and people.is_body(next((v for k, v in groups.items() if k.startswith("who")), "")):
        return None
    if groups.get("low") and groups.get("high"):
        count["low"], count["high"] = counting.number(groups["low"]), counting.number(groups["high"])
        kind = kind or "range"
    if n is None and total is None and not kind:
        return None
    lived = who in {"le", "parent_carer"} or rule.detail.get("of") == "le"
    named = next((key for key in groups if key.startswith("who")), "")
    if named and rule.detail.get("of") != "le" and _OF_SEVERAL_KINDS.match(match.string, match.end(named)):
        lived = False  # "2,700 patients, relatives and nurses": how many of them were patients is not said
    if n is not None:
        count["le_n" if lived and rule.detail.get("of") != "total" else "total_n"] = n
    if total is not None:
        count["total_n"] = total
        at = match.end(next(k for k in groups if k.startswith("total")))
        whole = re.match(r"[^\u27e6]{0,20}\u27e6(\w)~*\u27e7, ", match.string[at:])
        if n is not None and whole and people.classify("they", population, whole[1]) == "le":
            count["le_n"], count["total_n"] = total, None  # "nine tenants, two of them leaseholders": all nine
    if who == "organisations":
        count["unit"] = "organisations"
    if kind == "one_of_many" and count["le_n"] is None:
        count["le_n"] = 1  # E26
    if not kind:
        at = match.start("n") if groups.get("n") else match.start(next(k for k in groups if k.startswith("total")))
        kind = counting.qualifier(text[:at])
    return count | {"kind": kind}


_CLAUSE = re.compile(r"[;:]\s|\s[–—]\s|,\s+(?:and|but|so|which|who|while|where|after|before|because)\s")


def quote_span(text: str, start: int, end: int) -> tuple[int, int]:
    """A self-contained quote around a match: the sentence, or for a long one the clauses that the match touches."""
    if len(text.split()) <= _QUOTE_WORDS:
        return 0, len(text)
    left = max((m.end() for m in _CLAUSE.finditer(text, 0, start)), default=0)
    right = min((m.start() for m in _CLAUSE.finditer(text, end)), default=len(text))
    while left < right and text[left].isspace():
        left += 1
    return left, right


def check_examples(rule: Rule, population: Population, yes: Sequence[Any]) -> list[str]:
    """The ``yes`` examples that the rule does not find, for tests and for whoever writes a rule."""
    missed = []
    for example in yes:
        text, value = example if isinstance(example, list) else (example, None)
        got = {e.value for e in _in_sentence(Sentence(0, len(text), text, 1, 0), population) if e.rule == rule.id}
        if not got or (value and value not in got):
            missed.append(f"{text} -> {sorted(got)}")
    return missed
