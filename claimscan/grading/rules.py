"""The rules of codebook section 3 on facts: status, level, caps, and the replay of a trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from claimscan.codebook import Cap, Tables
from claimscan.codebook import tables as codebook_tables
from claimscan.records import Reason

# The facts that each test reads, so that a verdict can point to what decided it.
READS = {
    "single": ("who",),
    "power": ("shared", "act"),
    "end": ("stage",),
    "group_changed_it": ("who", "changed"),
    "edited_alone": ("edited_alone",),
    "presentation": ("scope",),
    "asked": ("act",),
    "repeated": ("repeated", "act"),
    "early": ("stage", "act"),
    "early_or_changed": ("stage", "changed", "shared", "act"),
    "changed_strongly": ("changed", "shared", "act"),
    "shared": ("shared",),
    "through": ("through",),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the grade depends on. The first six decide the status (3.3), the rest are the inputs of :func:`depth`.

    ``named`` holds the sides that the document says took part (le, proxy, organisations, unclear); ``how`` is true
    when it says anything about how; ``took_part`` when people with lived experience did something or sat inside
    the body.
    """

    claimed: bool = False
    contradicted: bool = False
    pointer: bool = False
    named: tuple[str, ...] = ()
    how: bool = False
    took_part: bool = False
    who: str = "group"
    act: str = "asked"
    stage: str = "not_stated"
    repeated: bool = False
    changed: str = "none"
    shared: bool = False
    through: bool = False
    scope: str = "whole"
    edited_alone: bool = False


DEPTH_FACTS = tuple(f.name for f in fields(Facts))[6:]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grade, the rule that decided it, its plain words, and the names of the facts that decided."""

    grade: str
    rule: str
    text: str
    decided_by: tuple[str, ...]


def tests(given: Facts) -> dict[str, bool]:
    """The tests of codebook 3.2, by name, with co-authorship standing for four of them (D0)."""
    wrote = given.act == "wrote"
    power = given.shared or wrote
    early = wrote or given.stage == "early"
    return {
        "single": given.who == "single",
        "power": power,
        "end": given.stage == "near_final_or_after_only" and not wrote,
        "group_changed_it": given.who == "group" and given.changed in ("specific", "loop"),
        "edited_alone": given.edited_alone,
        "presentation": given.scope == "presentation",
        "asked": given.act != "presence" or power or given.changed != "none",
        "repeated": given.repeated or wrote,
        "early": early,
        "early_or_changed": early or power or given.changed != "none",
        "changed_strongly": power or given.changed in ("specific", "loop"),
        "shared": given.shared,
        "through": given.through,
    }


def depth(
    who: str,
    act: str,
    stage: str,
    repeated: bool,
    changed: str,
    shared: bool,
    through: bool,
    scope: str = "whole",
    edited_alone: bool = False,
    tables: Tables | None = None,
) -> int:
    """The level, 1 to 6, of people who took part: the codebook's reference function (3.3) read from the levels table.

    Args:
        who: single or group.
        act: presence, asked, worked or wrote.
        stage: near_final_or_after_only, not_stated, open or early.
        repeated: the same people came back (E10).
        changed: none, general, loop or specific.
        shared: a mechanism of E11 other than co-authorship.
        through: a part at the end that has already happened.
        scope: whole, part or presentation.
        edited_alone: the organisation alone made the last edit (D5, which the reference function leaves out).
    """
    inputs = Facts(
        took_part=True,
        who=who,
        act=act,
        stage=stage,
        repeated=repeated,
        changed=changed,
        shared=shared,
        through=through,
        scope=scope,
        edited_alone=edited_alone,
    )
    return int(judge(inputs, tables).grade)


def judge(given: Facts, tables: Tables | None = None) -> Verdict:
    """The grade of these facts: the status rules of 3.3, then the highest level whose needs hold, under its caps."""
    table = tables or codebook_tables()
    if given.contradicted:
        return _status("X", table, "contradicted")
    if not given.took_part:
        if "le" in given.named:
            return _status("N2", table, "pointer") if given.pointer else _status("N1", table, "named")
        for side, status in (("proxy", "P"), ("organisations", "O")):
            if side in given.named:
                return _status(status, table, "named")
        if given.pointer:
            return _status("N2", table, "pointer")
        return _status("N1", table, "how") if given.how else _status("N0", table)
    held = tests(given)
    level = [row for row in table.levels if all(held[need] for need in row.needs)][-1]
    text = f"What the document shows meets level {level.id}: {level.plain}."
    verdict = Verdict(level.id, "3.2", text, _reads(level.needs, held) or ("act",))
    for cap in table.caps:
        if cap.of == "grade" and cap.level < verdict.grade and fires(cap, held):
            verdict = Verdict(cap.level, cap.rule, cap.text, _reads(cap.when, held))
    return replace(verdict, decided_by=("took_part", *verdict.decided_by))


def fires(cap: Cap, held: Mapping[str, bool]) -> bool:
    """Whether a cap applies to the results of :func:`tests`."""
    return all(held[test] for test in cap.when) and not any(held[test] for test in cap.unless)


def replay(reasons: Iterable[Reason]) -> str:
    """The grade derived again from the facts that the reasons carry, and from nothing else."""
    names = {f.name for f in fields(Facts)}
    given = {name: value for reason in reasons for name, value in reason.facts.items() if name in names}
    if "named" in given:
        given["named"] = tuple(given["named"])
    return judge(Facts(**given)).grade


def _status(code: str, table: Tables, *decided_by: str) -> Verdict:
    return Verdict(code, "3.3", table.statuses[code].text, decided_by)


def _reads(names: Iterable[str], held: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact for name in names if held[name] for fact in READS[name]))
