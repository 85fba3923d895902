"""The finding of one product, put together from the other modules of this step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from claimscan.codebook import LEVELS, Tables, check_value
from claimscan.codebook import tables as codebook_tables
from claimscan.grading.filling import slots
from claimscan.grading.flagging import flags
from claimscan.grading.gathering import Held, Support, facts, whose
from claimscan.grading.raising import ceiling, steps
from claimscan.grading.rules import DEPTH_FACTS, Facts, Verdict, judge
from claimscan.records import Evidence, Finding, Mention, Population, Product, Reason
from claimscan.scoring import DOUBT


def grade(
    product: Product,
    mentions: Sequence[Mention],
    evidence: Sequence[Evidence],
    population: Population,
    tables: Tables | None = None,
) -> Finding:
    """The judgement of one product, from its own mentions and evidence. Same input, same output.

    ``questions`` is left empty: :func:`claimscan.questions.questions` gives them for a finding.

    Where evidence that is only borderline changes the level, the lower level is the grade and the other is
    ``second_reading`` (D7). Where it decides whether there is a level at all, it counts (E20) and the status is
    the second reading. Parents in an all-age document are proxies, with the other reading second (E28). Where only evidence
    that is very likely wrong by its score makes the difference, the grade stands, and what it would be without is second.

    ``score`` is left at 0: :mod:`claimscan.scoring` gives the probability that the grade is right.

    Raises:
        RuleError: evidence carries a slot or value that codes.toml does not list.
    """
    table = tables or codebook_tables()
    for item in evidence:
        check_value(table, item.slot, item.value, f"Evidence {item.id}")
    held = whose(evidence, population)
    read, second = held, None
    given, support = facts(mentions, read, "le", table)
    verdict = judge(given, table)
    if other := _other_reading(mentions, evidence, population, verdict, table):
        other_held, second = other
        if second in LEVELS and verdict.grade in LEVELS and second < verdict.grade:
            read, second = other_held, verdict.grade
            given, support = facts(mentions, read, "le", table)
            verdict = judge(given, table)
    second = second or _without_doubtful(mentions, evidence, population, verdict, table)
    proxies, behind = facts(mentions, held, "proxy", table)
    proxy_grade = judge(proxies, table).grade if proxies.took_part and verdict.grade != "X" else None
    top = ceiling(read, given, verdict, table)
    filled = slots(held, verdict.grade, given, table)
    named = _row(verdict.grade, table)
    return Finding(
        product=product.id,
        grade=verdict.grade,
        label=named.label,
        band=getattr(named, "band", ""),
        plain=named.plain,
        supports=getattr(named, "supports", ""),
        ceiling=top,
        proxy_grade=proxy_grade,
        borderline=second is not None,
        second_reading=second,
        score=0.0,
        slots=filled,
        reasons=_reasons(given, {**support, "proxies": behind["took_part"]}, verdict, proxy_grade, second, table),
        next=steps(mentions, read, verdict, top, table),
        flags=flags(mentions, held, population, given, verdict.grade, filled, table),
        questions=(),
        crosswalk=table.crosswalk.get(verdict.grade, {}),
    )


def _row(code: str, table: Tables) -> Any:
    return table.statuses[code] if code in table.statuses else table.levels[int(code) - 1]


def _other_reading(
    mentions: Sequence[Mention],
    evidence: Sequence[Evidence],
    population: Population,
    verdict: Verdict,
    table: Tables,
) -> tuple[Held, str] | None:
    """The evidence and grade without what is borderline, or with parents counted (E28), where the grade differs."""
    if verdict.grade == "X":
        return None
    firm = [item for item in evidence if item.certainty != "borderline"]
    others = [whose(firm, population)]
    if population.kind == "all_age":
        others.append(whose(evidence, population, parents_are_le=True))
    for held in others:
        other = judge(facts(mentions, held, "le", table)[0], table).grade
        if other != verdict.grade:
            return held, other
    return None


def _without_doubtful(
    mentions: Sequence[Mention],
    evidence: Sequence[Evidence],
    population: Population,
    verdict: Verdict,
    table: Tables,
) -> str | None:
    """The grade without evidence that is very likely wrong, where it differs."""
    likely = [item for item in evidence if item.score >= DOUBT]
    if verdict.grade == "X" or len(likely) == len(evidence):
        return None
    grade = judge(facts(mentions, whose(likely, population), "le", table)[0], table).grade
    return grade if grade != verdict.grade else None


def _reasons(
    given: Facts, support: Support, verdict: Verdict, proxy_grade: str | None, second: str | None, table: Tables
) -> tuple[Reason, ...]:
    """The trace: what decides the status, each fact with its words and evidence, the rule that decided, and remarks."""

    def ids(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.id for item in support.get(name, ()) if item.id))

    opening = {f.name: getattr(given, f.name) for f in fields(Facts) if f.name not in DEPTH_FACTS}
    text = "The document shows that people with this experience took part."
    if not given.took_part:
        text = "The document does not show what people with this experience did."
    reasons = [Reason("3.3", text, ids("took_part"), opening)]
    if verdict.grade in LEVELS:
        for name in DEPTH_FACTS:
            value, row = getattr(given, name), table.facts[name]
            key = str(value).lower()
            reasons.append(Reason(row.rules.get(key, row.rule), row.texts[key], ids(name), {name: value}))
    deciding = tuple(dict.fromkeys(i for name in verdict.decided_by for i in ids(name)))
    reasons.append(Reason(verdict.rule, verdict.text, deciding, {"grade": verdict.grade}))
    if proxy_grade:
        words = (
            f"People who speak for them did things too. Counted by the same tests, that would be level {proxy_grade}."
        )
        reasons.append(Reason("D1", words, ids("proxies"), {"proxy_grade": proxy_grade}))
    if second:
        words = f"Some of the evidence can be read in two ways. Read the other way, this would be {second}."
        reasons.append(Reason("D7", words, (), {"second_reading": second}))
    return tuple(reasons)
