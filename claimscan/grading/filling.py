"""The slots as a report shows them (codebook section 2, E25, E26)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from claimscan.codebook import Tables
from claimscan.codebook import tables as codebook_tables
from claimscan.grading.gathering import BY_VALUE, Held, kind_of
from claimscan.grading.rules import Facts
from claimscan.records import Evidence

ABOUT_IT = frozenset({"scope", "transparency", "mark"})


def sides_shown(verdict_grade: str) -> frozenset[str]:
    """Whose evidence the slots hold at each grade (E25)."""
    sides = {"P": ("proxy",), "O": ("organisations", "unclear", "proxy"), "X": ()}.get(verdict_grade, ("le",))
    return frozenset(sides) | ({"unclear"} if verdict_grade in ("N0", "N1", "N2") else set())


def belongs(item: Evidence, side: str, sides: frozenset[str]) -> bool:
    """Whether a slot may hold this evidence: it is of these sides, or it is said of the product or the organisation."""
    return side in sides or item.slot in BY_VALUE | ABOUT_IT or item.value == "organisation_alone_stated"


def slots(held: Held, verdict_grade: str, given: Facts, tables: Tables | None = None) -> dict[str, Any]:
    """The slots as the report shows them, with whose evidence each may hold (E25) and one value where it takes one
    (E26).

    A slot that the document does not state is absent.
    """
    table = tables or codebook_tables()
    sides = sides_shown(verdict_grade)
    out: dict[str, Any] = {}
    for name, slot in table.slots.items():
        if (
            name == "mark"
            or not sides
            or (verdict_grade == "O" and name not in ("contributors", "authorship", "count"))
        ):
            continue
        found = [item for item, side in held if item.slot == name and belongs(item, side, sides)]
        if name == "scope" and not found and given.scope != "whole":
            out[name] = given.scope
        if not found:
            continue
        values = {item.value for item in found}
        if name == "count":
            out[name] = _count(found, table)
        elif name == "contributors":
            out[name] = _contributors(values, slot.values)
        elif name == "payment":
            out[name] = payment(values)[0]
        elif slot.many:
            out[name] = sorted(values)
        else:
            out[name] = max(values, key=slot.values.index)
    return out


def _count(found: Sequence[Evidence], table: Tables) -> dict[str, Any]:
    """The most telling count: one that says how many had lived experience, then the total, then the surest kind."""
    order = table.slots["count"].values

    def weight(item: Evidence) -> tuple[int, int, int]:
        return item.detail.get("le_n") or 0, item.detail.get("total_n") or 0, order.index(kind_of(item))

    best = max(found, key=weight)
    shape = {"le_n": None, "total_n": None, "kind": kind_of(best), "unit": ""}
    return {
        **shape,
        **{key: best.detail[key] for key in ("le_n", "total_n", "unit", "low", "high") if key in best.detail},
    }


def _contributors(values: set[str], order: Sequence[str]) -> str:
    """One code for everybody said to have taken part (E12). ``mixed`` always has people with lived experience in it."""
    values = values - {"unclear"} if len(values) > 1 else values
    lived = values & {"le", "parent_carer", "public", "mixed"}
    if len(values) == 1:
        return next(iter(values))
    return "mixed" if lived else max(values, key=order.index)


def payment(values: Iterable[str]) -> tuple[str, frozenset[str]]:
    """The payment slot and its parts (2.9, E26): a stated rate beats a policy, expenses and lunch come with a fee,
    expenses with "no fee" are expenses only, and what is left over is mixed."""
    parts = frozenset(values) - {"mixed"}
    if len(parts) > 1:
        parts -= {"policy_only"}
    if parts & {"paid", "vouchers"} and "mixed" not in values:  # stated as a mixture, each part is somebody's all
        parts -= {"expenses_only", "in_kind"}
    if "expenses_only" in parts:
        parts -= {"unpaid_stated"}
    if len(parts) == 1 and "mixed" not in values:
        return next(iter(parts)), parts
    return "mixed", parts
