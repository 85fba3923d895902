"""What a person changed by hand in a report, said in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from claimscan.records import Applied, Correction, Evidence
from claimscan.showing import wording as say

if TYPE_CHECKING:
    from claimscan.report import Report

_FIELDS = {
    "hedge": "said with a limit",
    "scope": "which part",
    "who": "whose it is",
    "product": "about",
    "certainty": "how clear",
}


def lines(report: Report) -> list[str]:
    """One sentence or two for each change, then what came of the grades, then what had no place; empty without any."""
    base = report.as_read
    if base is None:
        return []
    out = []
    if report.provenance.get("corrections_made_on"):
        out.append(
            "The changes were made on another copy or version of this document, and put where the same words are here."
        )
    for _, group in groupby(report.corrections, _place):
        out += _applied(report, list(group))
    for product in base.products:
        was = base.findings[product.id].grade
        name = f"“{say.short(product.name, 80)}”"
        if product.id not in report.findings:
            out.append(f"{name} is no longer graded; before the changes it was {say.level_name(was)}.")
        elif report.findings[product.id].grade != was:
            now = report.findings[product.id].grade
            out.append(f"{name} was {say.level_name(was)} before the changes, and is {say.level_name(now)} with them.")
    out += [
        f"“{say.short(product.name, 80)}” is graded because of the changes."
        for product in report.products
        if product.id not in base.findings
    ]
    for lost in report.unplaced:
        out.append(
            f"Not done: “{say.short(lost.correction.at.quote, 120)}” ({_wanted(lost.correction)}). {say.sentence(lost.why)}"
        )
    return out


def _place(one: Applied) -> tuple[str, ...]:
    """What one line can say together: readings of the same words that are all taken out, for the same reason."""
    made = one.correction
    own = "" if made.kind == "wrong" and made.of == "evidence" else one.item
    return made.kind, made.of, own, str(one.page), one.quote, made.note, made.by


def _applied(report: Report, group: list[Applied]) -> list[str]:
    first = group[0]
    if first.correction.kind != "wrong" or len(group) == 1:
        return [_one(report, one) for one in group]
    read = "; ".join(dict.fromkeys(_reading(one.before) for one in group))
    return [_words(report, first) + f"taken out; it was read as {read}." + _who(first.correction)]


def _words(report: Report, one: Applied) -> str:
    where = say.pages(report, [one.page])
    words = f"{where + ', ' if where else ''}“{say.short(one.quote, 120)}”: "
    return words[:1].upper() + words[1:]


def _one(report: Report, one: Applied) -> str:
    made = one.correction
    if made.of == "product":
        said = f"“{say.short(str(one.before.get('name', '')), 80)}” taken out, as it is not one thing that was made"
        return say.sentence(said) + _who(made)
    words = _words(report, one)
    if made.kind == "wrong":
        said = f"taken out; it was read as {_reading(one.before)}"
    elif not one.before and not one.after:
        said = "confirmed; the rules read it so too"
    elif made.kind == "added":
        said = f"added as {_reading(one.after)}"
    elif made.kind == "moved":
        said = f"now about “{say.short(str(one.after.get('product', '')), 80)}”"
        if one.before.get("product"):
            said += f", before about “{say.short(str(one.before['product']), 80)}”"
    else:
        was, now = {**made.was, **one.before}, {**made.was, **one.after}
        said = _changed(made, was, now, one)
    return words + said + "." + _who(made)


def _changed(made: Correction, was: Mapping[str, Any], now: Mapping[str, Any], one: Applied) -> str:
    parts = []
    if {"type", "slot", "value", "count"} & set(one.after):
        parts.append(f"now read as {_reading(now)}, before as {_reading(was)}")
    for name in ("hedge", "scope", "who", "product", "certainty"):
        shown = name in made.to or name == "product"
        if name in one.after and shown:
            parts.append(
                f"{_FIELDS[name]}: {_field(name, one.after[name])}, before {_field(name, one.before.get(name, ''))}"
            )
    return "; ".join(parts) or "confirmed"


def _field(name: str, value: Any) -> str:
    if name == "hedge":
        return "yes" if value else "no"
    if name == "certainty":
        return "not quite clear" if value == "borderline" else "clear"
    if name == "product":
        return f"“{say.short(str(value), 80)}”" if value else "nothing"
    if not value:
        return "not said"
    return say.word(str(value), "people") if name == "who" else say.word(str(value), "values", "scope")


def _reading(said: Mapping[str, Any]) -> str:
    """What a mention or evidence was read as: ``who wrote it: people who speak for them``."""
    if "type" in said:
        return str(say.tables()["mentions"].get(said["type"], (str(said["type"]),))[0])
    slot, value = str(said.get("slot", "")), str(said.get("value", ""))
    words = say.value_words(Evidence("", slot, value, 0, 0, "", 1, "", 1.0, detail=said.get("count") or {}))
    name = say.slot_name(slot)
    return f"{name}: {words}" if name else words


def _wanted(made: Correction) -> str:
    verbs = {
        "wrong": "to take out",
        "removed": "to take out",
        "added": "to add",
        "moved": "to move",
        "changed": "to change",
    }
    said = made.to if made.kind == "added" else {} if made.of == "product" else made.was
    return verbs[made.kind] + (f", {_reading(said)}" if said else "")


def _who(made: Correction) -> str:
    note = f" Reason given: “{say.short(made.note, 200)}”." if made.note.strip() else ""
    by = f" By {say.short(made.by, 80)}." if made.by.strip() else ""
    return note + by
