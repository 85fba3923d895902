"""What a person changed by hand in a report, said in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from claimscan.records import Applied, Correction, Evidence
from claimscan.showing import wording as say
from claimscan.showing.translating import message, told, tr

if TYPE_CHECKING:
    from claimscan.report import Report

_FIELDS = {
    "hedge": message("said with a limit"),
    "scope": message("which part"),
    "who": message("whose it is"),
    "product": message("about", "field"),
    "certainty": message("how clear"),
}


def lines(report: Report) -> list[str]:
    """One sentence or two for each change, then what came of the grades, then what had no place; empty without any."""
    base = report.as_read
    if base is None:
        return []
    out = []
    if report.provenance.get("corrections_made_on"):
        out.append(
            tr(
                "The changes were made on another copy or version of this document, and put where the same words are here."
            )
        )
    for _, group in groupby(report.corrections, _place):
        out += _applied(report, list(group))
    for product in base.products:
        was = base.findings[product.id].grade
        name = f"“{say.name(product, 80)}”"
        if product.id not in report.findings:
            said = tr("{name} is no longer graded; before the changes it was {was}.")
            out.append(said.format(name=name, was=say.level_name(was)))
        elif report.findings[product.id].grade != was:
            now = report.findings[product.id].grade
            said = tr("{name} was {was} before the changes, and is {now} with them.")
            out.append(said.format(name=name, was=say.level_name(was), now=say.level_name(now)))
    out += [
        tr("{name} is graded because of the changes.").format(name=f"“{say.name(product, 80)}”")
        for product in report.products
        if product.id not in base.findings
    ]
    graded = {say.clean(product.name).lower() for product in report.products}
    meant = (one.correction.product for one in report.corrections if one.correction.kind in ("moved", "added"))
    for name in dict.fromkeys(thing.name for thing in meant if thing and thing.new):
        if say.clean(name).lower() not in graded:
            said = tr(
                "“{name}” is not graded. What was put to it does not say who took part: move the claim or such words to it too."
            )
            out.append(said.format(name=say.short(name, 80)))
    for lost in report.unplaced:
        said = tr("Not done: “{words}” ({what}). {why}")
        words, why = say.short(lost.correction.at.quote, 120), say.sentence(told(lost.why))
        out.append(said.format(words=words, what=_wanted(lost.correction), why=why))
    return out


def _place(one: Applied) -> tuple[str, ...]:
    """What one line can say together: readings of the same words that are all taken out, or moved, for the same reason."""
    made = one.correction
    own = "" if made.kind in ("wrong", "moved") and made.of == "evidence" else one.item
    to = str(one.before.get("product", "")), str(one.after.get("product", ""))
    return made.kind, made.of, own, str(one.page), one.quote, made.note, made.by, *(to if made.kind == "moved" else ())


def _applied(report: Report, group: list[Applied]) -> list[str]:
    first = group[0]
    if first.correction.kind == "moved":
        return [_one(report, first)]
    if first.correction.kind != "wrong" or len(group) == 1:
        return [_one(report, one) for one in group]
    read = "; ".join(dict.fromkeys(_reading(one.before) for one in group))
    return [
        _words(report, first) + tr("taken out; it was read as {what}").format(what=read) + "." + _who(first.correction)
    ]


def _words(report: Report, one: Applied) -> str:
    where = say.pages(report, [one.page])
    words = f"{where + ', ' if where else ''}“{say.short(one.quote, 120)}”: "
    return words[:1].upper() + words[1:]


def _one(report: Report, one: Applied) -> str:
    made = one.correction
    if made.of == "product":
        said = tr("“{name}” taken out, as it is not one thing that was made")
        return say.sentence(said.format(name=say.short(str(one.before.get("name", "")), 80))) + _who(made)
    words = _words(report, one)
    if made.kind == "wrong":
        said = tr("taken out; it was read as {what}").format(what=_reading(one.before))
    elif not one.before and not one.after:
        said = tr("confirmed; the rules read it so too")
    elif made.kind == "added":
        said = tr("added as {what}").format(what=_reading(one.after))
    elif made.kind == "moved":
        said = tr("now about “{name}”").format(name=say.short(str(one.after.get("product", "")), 80))
        if one.before.get("product"):
            said += tr(", before about “{name}”").format(name=say.short(str(one.before["product"]), 80))
    else:
        was, now = {**made.was, **one.before}, {**made.was, **one.after}
        said = _changed(made, was, now, one)
    return words + said + "." + _who(made)


def _changed(made: Correction, was: Mapping[str, Any], now: Mapping[str, Any], one: Applied) -> str:
    parts = []
    if {"type", "slot", "value", "count"} & set(one.after):
        parts.append(tr("now read as {now}, before as {was}").format(now=_reading(now), was=_reading(was)))
    for name in ("hedge", "scope", "who", "product", "certainty"):
        shown = name in made.to or name == "product"
        if name in one.after and shown:
            said = tr("{field}: {now}, before {was}")
            now_said, was_said = _field(name, one.after[name]), _field(name, one.before.get(name, ""))
            context = "field" if name == "product" else ""
            parts.append(said.format(field=tr(_FIELDS[name], context), now=now_said, was=was_said))
    return "; ".join(parts) or tr("confirmed")


def _field(name: str, value: Any) -> str:
    if name == "hedge":
        return tr("yes") if value else tr("no")
    if name == "certainty":
        return tr("not quite clear") if value == "borderline" else tr("clear")
    if name == "product":
        return f"“{say.short(str(value), 80)}”" if value else tr("nothing")
    if not value:
        return tr("not said")
    return say.word(str(value), "people") if name == "who" else say.word(str(value), "values", "scope")


def _reading(said: Mapping[str, Any]) -> str:
    """What a mention or evidence was read as: ``who wrote it: people who speak for them``."""
    if "type" in said:
        return say.kind_of_use(str(said["type"]))
    slot, value = str(said.get("slot", "")), str(said.get("value", ""))
    words = say.value_words(Evidence("", slot, value, 0, 0, "", 1, "", 1.0, detail=said.get("count") or {}))
    name = say.slot_name(slot)
    return f"{name}: {words}" if name else words


def _wanted(made: Correction) -> str:
    verbs = {
        "wrong": tr("to take out"),
        "removed": tr("to take out"),
        "added": tr("to add"),
        "moved": tr("to move"),
        "changed": tr("to change"),
    }
    said = made.to if made.kind == "added" else {} if made.of == "product" else made.was
    return verbs[made.kind] + (f", {_reading(said)}" if said else "")


def _who(made: Correction) -> str:
    note = tr(" Reason given: “{words}”.").format(words=say.short(made.note, 200)) if made.note.strip() else ""
    by = tr(" By {whom}.").format(whom=say.short(made.by, 80)) if made.by.strip() else ""
    return note + by
