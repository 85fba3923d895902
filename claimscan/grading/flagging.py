"""The conduct flags (codebook section 4). They never change a level, and a level never hides one (C1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claimscan.codebook import LEVELS, Tables
from claimscan.codebook import tables as codebook_tables
from claimscan.grading.filling import belongs, payment, sides_shown
from claimscan.grading.gathering import BY_VALUE, GRADABLE, Held
from claimscan.grading.rules import Facts
from claimscan.records import Evidence, Flag, Mention, Population

LATE = frozenset({"near_final", "after_publication", "delivery_or_monitoring"})
# A reporting convention of the codebook, not a standard: no framework found sets a ratio.
OUTNUMBERED = 0.25


def flags(
    mentions: Sequence[Mention],
    held: Held,
    population: Population,
    given: Facts,
    grade: str,
    filled: Mapping[str, Any],
    tables: Tables | None = None,
) -> tuple[Flag, ...]:
    """The conduct flags (codebook section 4), in the order of flags.toml. They never change a level (C1)."""
    table = tables or codebook_tables()
    marks = _by_value(item for item, _ in held if item.slot == "mark")
    if any(m.type == "NEGATED" for m in mentions):
        marks.setdefault("negated", ())
    credit = _stated(held, table, None if grade in ("O", "X") else sides_shown(grade))
    stated = _stated(held, table, sides_shown(grade))
    seen = {name: _as_shown(name, stated[name], filled.get(name)) for name in table.slots}
    for source in (credit, seen):
        source["mark"] = marks
        for mark, value in (("commercial", "commercial_product"), ("disclosed", "commercial_benefit_disclosed")):
            if mark in marks and (source is credit or grade not in ("O", "X")):
                source["transparency"] = {**source["transparency"], value: marks[mark]}
        source["grade"] = {grade: ()}
    fired = _flag_tests(mentions, held, population, given, grade, filled, credit)
    for source in (credit, seen):
        source["test"] = {
            name: tuple(i for found in credit.get(slot, {}).values() for i in found)
            for name, (holds, slot) in fired.items()
            if holds
        }
    # C4; and a document that makes no claim here, but says honestly that it did not co-produce, is asked nothing.
    honest = bool(mentions) and not given.claimed and not given.took_part
    asked = frozenset() if honest else frozenset({"N0", "N1", "P", *LEVELS})
    out = []
    for flag in table.flags:
        source = credit if flag.kind == "credit" else seen
        if grade not in (flag.grades or (asked if flag.kind == "ask" else (grade,))):
            continue
        hits = [[found for value, found in source[name].items() if value in of] for name, of in flag.when.items()]
        barred = any(value in of for name, of in flag.unless.items() for value in source[name])
        if not all(hits) or barred or any(name in filled for name in flag.unstated):
            continue
        evidence = tuple(dict.fromkeys(i for hit in hits for found in hit for i in found if i))
        some = flag.plain_some and filled.get("payment") == "mixed"
        out.append(Flag(flag.code, flag.kind, flag.plain_some if some else flag.plain, evidence))
    return tuple(out)


def _stated(held: Held, table: Tables, sides: frozenset[str] | None) -> dict[str, dict[str, tuple[str, ...]]]:
    """For each slot its values with their evidence, of these sides or (None) of all."""
    return {
        name: _by_value(
            item for item, side in held if item.slot == name and (sides is None or belongs(item, side, sides))
        )
        for name in table.slots
    }


def _as_shown(name: str, stated: Mapping[str, tuple[str, ...]], shown: Any) -> dict[str, tuple[str, ...]]:
    """The values of a slot as the report shows it (E26), with their evidence; payment keeps the parts of a mixture."""
    if name == "payment" and shown:
        parts = payment(stated)[1]
        return {value: found for value, found in stated.items() if value in parts}  # in reading order
    kept = shown if isinstance(shown, list) else [shown] if isinstance(shown, str) else []
    every = tuple(i for found in stated.values() for i in found)
    return {value: stated.get(value, every) for value in kept}


def _by_value(items: Iterable[Evidence]) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for item in items:
        out[item.value] = (*out.get(item.value, ()), item.id)
    return out


def _flag_tests(
    mentions: Sequence[Mention],
    held: Held,
    population: Population,
    given: Facts,
    grade: str,
    filled: Mapping[str, Any],
    stated: Mapping[str, Mapping[str, tuple[str, ...]]],
) -> dict[str, tuple[bool, str]]:
    """The tests that flags.toml may ask for that are more than one value in one slot, and the slot that shows each."""
    count = filled.get("count", {})
    people, total, kind = count.get("le_n"), count.get("total_n"), count.get("kind")
    marks = stated["mark"]
    deciding = count.get("unit") == "authors" or "body" in marks
    claims = [m for m in mentions if m.type in GRADABLE]
    on_scale = grade in LEVELS
    stages = {item.value for item, side in held if item.slot == "stage" and side == "le"}
    said = {i.value if i.slot in BY_VALUE else i.who for i, _ in held}
    parents_only = "parent_carer" in said and not said & {"le", "mixed", "mixed_with_le", "le_org"}
    young = population.kind == "children" and "children_took_part" not in marks and grade not in ("O", "X")
    return {
        "payment_open": (filled.get("payment", "policy_only") == "policy_only", "payment"),
        "proxies_alone": (grade == "P" or (young and parents_only), "contributors"),
        "one_person": (people == 1 or kind == "one_of_many", "count"),
        "outnumbered": (
            kind == "one_of_many" or bool(deciding and people and total and people / total < OUTNUMBERED),
            "count",
        ),
        # Co-authors were there early, whatever stage is stated besides (D0).
        "end_stages_only": (on_scale and bool(stages) and stages <= LATE and given.act != "wrote", "stage"),
        "gave_input": (on_scale and given.act in ("asked", "worked"), "method"),
        "vague_count": (kind == "vague", "count"),
        "core_term": (any(_core(m) for m in claims), ""),
        "presentation_of_a_whole": (
            given.scope == "presentation" and any(m.scope == "whole" for m in claims),
            "scope",
        ),
        "paid": (payment(stated["payment"])[0] == "paid", "payment"),
        "reasons_given": (
            "reason_given" in marks or "specific_incl_not_done" in stated["feedback_acted"],
            "feedback_acted",
        ),
    }


def _core(mention: Mention) -> bool:
    """The word "co-produce" or its Welsh, in any mutated or hyphenated form (C5)."""
    return mention.family == "core" or "ydgynhyrch" in re.sub(r"\W", "", mention.text.lower())
