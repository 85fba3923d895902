"""What would change a grade: the ceiling, and the smallest additions that would raise it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

from claimscan.codebook import LEVELS, Tables
from claimscan.codebook import tables as codebook_tables
from claimscan.grading.gathering import SILENT, Held, facts
from claimscan.grading.rules import Facts, Verdict, fires, judge, tests
from claimscan.records import Evidence, Mention, Step

MAX_STEPS = 3
# Said plainly by another slot: a chair is a decision, an author is authorship.
SAID_ELSEWHERE = frozenset({("method", "co_chair"), ("method", "co_author"), ("decision_power", "co_authorship")})


def ceiling(held: Held, given: Facts, verdict: Verdict, tables: Tables | None = None) -> str:
    """The highest level that nothing stated rules out: the same rules with every unstated slot at its best.

    A stated slot keeps what it says, except for values that leave it open (``open`` in codes.toml). Co-authorship
    is never assumed: it would contradict a stated stage, and adds nothing where none is stated. A status that only
    says who else is named (N0 to N2, O, P) rules nothing out about people with lived experience, since silence is
    never a "no" (D8), so theirs are unstated slots. X has no ceiling: the document itself says that nobody took part.
    """
    table = tables or codebook_tables()
    if verdict.grade == "X":
        return "X"
    stated = {item.slot for item, side in held if side == "le" and item.value not in table.slots[item.slot].open}
    best = replace(
        given,
        took_part=True,
        act=given.act if given.act == "wrote" else "worked",
        stage=given.stage if "stage" in stated else "early",
        repeated=given.repeated or "continuity" not in stated,
        changed=given.changed if "feedback_acted" in stated else "loop",
        shared=given.shared or "decision_power" not in stated,
        through=True,
        contradicted=False,
    )
    held_tests = tests(best)
    caps = [cap.level for cap in table.caps if cap.of == "ceiling" and fires(cap, held_tests)]
    top = min([judge(best, table).grade, *caps])
    return max(top, verdict.grade) if verdict.grade in LEVELS else top


def steps(
    mentions: Sequence[Mention], held: Held, verdict: Verdict, top: str, tables: Tables | None = None
) -> tuple[Step, ...]:
    """What would raise the grade to the next one that can be reached, found by trying.

    Every value of every slot that is still open is added as if people with lived experience had been stated to do it,
    alone and then in pairs. The steps are those that reach the lowest higher level with the fewest additions, at most
    three, and none above the ceiling ``top``. From a status outside the scale, which is not ranked below 1 or 2, the
    first rise counted is to 3. A step that needs two slots joins their gaps with "+".
    """
    table = tables or codebook_tables()
    if verdict.grade == "X":
        return ()
    floor = verdict.grade if verdict.grade in LEVELS else "2"

    def reaching(additions: Iterable[tuple[Evidence, ...]]) -> dict[tuple[str, ...], tuple[str, tuple[Evidence, ...]]]:
        """For each set of slots the lowest higher grade and the weakest values that reach it."""
        reached: dict[tuple[str, ...], tuple[str, tuple[Evidence, ...]]] = {}
        for extras in additions:
            given, _ = facts(mentions, [*held, *((extra, "le") for extra in extras)], "le", table)
            to, key = judge(given, table).grade, tuple(extra.slot for extra in extras)
            if to in LEVELS and floor < to <= top and (key not in reached or to < reached[key][0]):
                reached[key] = to, extras
        return reached

    tried = _open_values(mentions, held, table)
    reached = reaching((extra,) for extra in tried)
    if all(int(to) > int(floor) + 1 for to, _ in reached.values()):  # nothing alone reaches the very next level
        pairs = (pair for pair in combinations(tried, 2) if pair[0].slot != pair[1].slot)
        reached = {**reaching(pairs), **reached}
    lowest = min((to for to, _ in reached.values()), default="")
    best = [extras for to, extras in reached.values() if to == lowest]
    fewest = min(map(len, best), default=0)
    order = [gap.slot for gap in table.gaps] + list(table.slots)
    if verdict.grade not in LEVELS:  # it says who, not how: how comes first
        order.insert(0, "method")
    best = sorted((e for e in best if len(e) == fewest), key=lambda extras: [order.index(e.slot) for e in extras])
    return tuple(
        Step(
            lowest,
            f"The document would need to show {', and '.join(_needs(extra, table) for extra in extras)}.",
            "+".join(extra.slot for extra in extras),
        )
        for extras in best[:MAX_STEPS]
    )


def _open_values(mentions: Sequence[Mention], held: Held, table: Tables) -> list[Evidence]:
    """One supposed piece of evidence for each different effect that each open slot can have, weakest value first."""
    closed = {i.slot for i, side in held if side == "le" and i.value not in table.slots[i.slot].open}
    closed |= {i.slot for i, _ in held if i.slot in ("authorship", "final_edit")}
    before = facts(mentions, held, "le", table)[0]
    tried: dict[tuple[str, Facts], Evidence] = {}
    for name, slot in table.slots.items():
        if name in closed or name in ("count", "mark") or not slot.shows:
            continue
        for value in slot.values:
            if value in SILENT or (name, value) in SAID_ELSEWHERE or not _is_le(name, value):
                continue
            extra = _supposed(name, value)
            after = facts(mentions, [*held, (extra, "le")], "le", table)[0]
            if after != before:
                tried.setdefault((name, after), extra)
    return list(tried.values())


def _supposed(slot: str, value: str) -> Evidence:
    return Evidence("", slot, value, 0, 0, "", 0, "", 1.0, who="le")


def _is_le(slot: str, value: str) -> bool:
    """Who wrote it and who saw it are only worth supposing of people with lived experience."""
    return slot not in ("authorship", "reviewers") or value in ("le", "mixed_with_le", "le_org")


def _needs(item: Evidence, table: Tables) -> str:
    gaps = {gap.slot: gap.needs for gap in table.gaps}
    return table.needs.get(f"{item.slot}.{item.value}") or gaps.get(item.slot) or table.needs[item.slot]
