"""Corrections as JSON, ``claimscan/corrections/1``, and what a correction may say. Nothing in a file is trusted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from claimscan.codebook import Tables, check_value, tables
from claimscan.errors import CorrectionError, RuleError
from claimscan.grading.gathering import SILENT
from claimscan.records import Anchor, Correction, ProductAnchor
from claimscan.report import correction as plain
from claimscan.showing import wording

SCHEMA = "claimscan/corrections/1"
MOST = 2000  # corrections in one file
MOST_BYTES = 8_000_000
MOST_WORDS = 20_000  # characters of a quote
MOST_NOTE = 4000
MOST_NUMBER = 10**9

KINDS = {
    "mention": ("wrong", "changed", "moved"),
    "evidence": ("wrong", "changed", "moved", "added"),
    "product": ("removed",),
}
SCOPES = ("whole", "part", "presentation")
CERTAINTIES = ("explicit", "borderline")
NUMBERS = ("le_n", "total_n", "low", "high")
_WAS = {
    "mention": ("type", "hedge", "scope", "product", "rule"),
    "evidence": ("slot", "value", "who", "certainty", "product", "rule"),
    "product": ("name", "is_document", "grade"),
}
_TO = {"mention": ("type", "hedge", "scope"), "evidence": ("slot", "value", "who", "certainty", "count"), "product": ()}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Corrections:
    """What one person changed in the report of one document.

    Attributes:
        document: the sha256 of the bytes of the document that they were made on. ``source``: its name then.
        provenance: of the report that they were made on.
        corrections: at most one of a kind for the same words and reading, in a fixed order; see :func:`merged`.
    """

    document: str = ""
    source: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    corrections: tuple[Correction, ...] = ()


def merged(corrections: Iterable[Correction]) -> tuple[Correction, ...]:
    """The corrections in the order of the document, the same one once.

    Where two of one kind are about the same words and reading, the later one holds; of two changes, field by field.
    """
    kept: dict[str, Correction] = {}
    for one in corrections:
        # Of additions, each is about its own slot and value: the same words can state many things.
        said = (one.to.get("slot"), one.to.get("value")) if one.kind == "added" else _reading(one.was)
        thing = plain(one)["product"] if one.kind in ("added", "removed") else None
        key = json.dumps([one.of, one.kind, one.at.start, one.at.page, one.at.quote, said, thing], sort_keys=True)
        before = kept.get(key)
        if before is not None and one.kind == "changed":
            to = {**before.to, **one.to}
            if to.get("slot", one.was.get("slot")) != "count":
                to.pop("count", None)
            one = replace(one, to=to, product=one.product or before.product)
        kept[key] = one
    return tuple(one for _, one in sorted(kept.items(), key=lambda item: (item[1].at.start, item[0])))


def _reading(was: Mapping[str, Any]) -> list[Any]:
    """What tells one reading of some words from another of the same words."""
    return [was.get(name) for name in ("type", "slot", "value", "product", "name")]


# --- what a correction may say ----------------------------------------------------------------------------------------


def check(one: Correction) -> Correction:
    """The correction, where it can be one.

    Raises:
        CorrectionError: it says something that no correction can say.
    """
    table = tables()
    _one_of("of", one.of, KINDS)
    _one_of("kind", one.kind, KINDS[one.of])
    if not one.at.quote.strip():
        raise CorrectionError("A correction has to name words of the document, and this one names none.")
    _known_keys("was", one.was, _WAS[one.of])
    _known_keys("to", one.to, _TO[one.of])
    if one.of == "mention":
        _mention("was", one.was)
        _mention("to", one.to)
    elif one.of == "evidence":
        _evidence("was", one.was, table)
    if bool(one.to) != (one.kind in ("changed", "added")):
        raise CorrectionError(
            f"A correction of the kind “{one.kind}” says nothing new under “to”."
            if one.to
            else f"A correction of the kind “{one.kind}” has to say under “to” what is so."
        )
    if one.of == "evidence" and one.to:
        _to_evidence(one, table)
    if one.of != "product" and one.kind != "added":
        needed = ("type",) if one.of == "mention" else ("slot", "value")
        if any(name not in one.was for name in needed):
            raise CorrectionError(f"A correction has to say under “was” the {' and '.join(needed)} that it corrects.")
    if one.kind in ("moved", "added", "removed") and one.product is None:
        raise CorrectionError(f"A correction of the kind “{one.kind}” has to say which product it means.")
    if one.product is not None:
        if one.kind == "wrong" or (one.kind == "changed" and one.of == "evidence"):
            raise CorrectionError(f"A correction of the kind “{one.kind}” names no product.")
        if not one.product.name.strip():
            raise CorrectionError("A product has to have a name.")
    return one


def _mention(where: str, said: Mapping[str, Any]) -> None:
    if "type" in said:
        _one_of(f"{where}.type", said["type"], wording.tables()["mentions"])
    if "hedge" in said and not isinstance(said["hedge"], bool):
        raise CorrectionError(f"{where}.hedge must be true or false.")
    if "scope" in said:
        _one_of(f"{where}.scope", said["scope"], SCOPES)


def _evidence(where: str, said: Mapping[str, Any], table: Tables) -> None:
    if "slot" in said:
        _one_of(f"{where}.slot", said["slot"], table.slots)
    if "value" in said:
        if not isinstance(said["value"], str):
            raise CorrectionError(f"{where}.value must be text.")
        if "slot" in said:
            try:
                check_value(table, said["slot"], said["value"], f"“{where}”")
            except RuleError as error:
                raise CorrectionError(str(error)) from None
    if "who" in said:
        _one_of(f"{where}.who", said["who"], table.who)
    if "certainty" in said:
        _one_of(f"{where}.certainty", said["certainty"], CERTAINTIES)


def _to_evidence(one: Correction, table: Tables) -> None:
    slot = one.to.get("slot", one.was.get("slot"))
    value = one.to.get("value", one.was.get("value"))
    if slot is None or value is None:
        raise CorrectionError("A correction of evidence has to say its slot and its value.")
    if "slot" in one.to and "value" not in one.to:
        raise CorrectionError("Where the slot is changed, its value has to be said too.")
    _evidence("to", {**one.to, "slot": slot, "value": value}, table)
    if "value" in one.to and (value in SILENT or value not in table.slots[slot].values):
        raise CorrectionError(
            f"“{value}” of {slot} is not something that words state; mark the evidence wrong instead."
        )
    count = one.to.get("count")
    if count is None:
        if "count" in one.to:
            raise CorrectionError("to.count must hold the numbers of a count.")
        return
    if slot != "count":
        raise CorrectionError("to.count belongs to the slot count only.")
    if not isinstance(count, Mapping):
        raise CorrectionError("to.count must hold the numbers of a count.")
    _known_keys("to.count", count, (*NUMBERS, "unit"))
    for name in NUMBERS:
        n = count.get(name)
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= MOST_NUMBER):
            raise CorrectionError(f"to.count.{name} must be a whole number from 0 to {MOST_NUMBER:,}.")
    for less, more, said in (("le_n", "total_n", "all people"), ("low", "high", "the higher number")):
        if None not in (count.get(less), count.get(more)) and count[less] > count[more]:
            raise CorrectionError(f"to.count.{less} is more than {said} (to.count.{more}).")
    if "unit" in count:
        _one_of("to.count.unit", count["unit"], table.units)


def _one_of(where: str, code: Any, known: Iterable[str]) -> None:
    known = list(known)
    if not isinstance(code, str) or code not in known:
        raise CorrectionError(
            f"“{_shown(code)}” is no {where.replace('.', ' ')} that claimscan knows.",
            f"It knows: {', '.join(k or 'empty' for k in known)}.",
        )


def _known_keys(where: str, said: Mapping[str, Any], known: Iterable[str]) -> None:
    unknown = sorted(set(said) - set(known))
    if unknown:
        names = ", ".join(_shown(name) for name in unknown[:5])
        raise CorrectionError(f"“{where}” has something that does not belong there: {names}.")


def _shown(value: Any) -> str:
    """A value from a file, short and safe for a message. An object or a list is named and not printed."""
    if isinstance(value, (dict, list)):
        return "a list" if isinstance(value, list) else "an object"
    return wording.short(repr(value) if not isinstance(value, str) else value, 60)


# --- JSON -------------------------------------------------------------------------------------------------------------


def dump(corrections: Corrections) -> str:
    """The corrections as JSON text that stands alone: the same corrections always give the same characters."""
    whole = {
        "schema": SCHEMA,
        "document": {"id": corrections.document, "source": corrections.source},
        "provenance": {str(k): str(v) for k, v in sorted(corrections.provenance.items())},
        "corrections": [plain(one) for one in merged(corrections.corrections)],
    }
    text = json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False)
    return _LONE_SURROGATE.sub(lambda m: f"\\u{ord(m[0]):04x}", text) + "\n"


def read(path: str | os.PathLike[str]) -> Corrections:
    """The corrections in a file.

    Raises:
        CorrectionError: it cannot be read, or holds something else.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CorrectionError(
            f"The corrections could not be read from {os.fspath(path)} ({error.strerror or error}).",
            "Check the name of the file.",
        ) from error
    except ValueError as error:  # a name with a null character
        raise CorrectionError("The name of the corrections file cannot be one.", "Check the name.") from error
    return loaded(data)


def loaded(data: bytes) -> Corrections:
    """The corrections in the bytes of a file; it is enough to give one byte more than :data:`MOST_BYTES` of a larger one.

    Raises:
        CorrectionError: as :func:`load`, or they are no UTF-8 text.
    """
    if len(data) > MOST_BYTES:
        raise _too_large()
    try:
        return load(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CorrectionError("The corrections are no JSON: they are not UTF-8 text.", _EXPORTED) from error


_EXPORTED = "Give a file that claimscan wrote when the corrections were exported."


def _too_large() -> CorrectionError:
    return CorrectionError(f"The corrections are larger than {MOST_BYTES // 1_000_000} MB.", _EXPORTED)


def load(text: str) -> Corrections:
    """Corrections from JSON text; everything in it is checked.

    Raises:
        CorrectionError: it is no JSON, too large, or holds an unknown key or code, or a value of a wrong type. The message names it.
    """
    if len(text) > MOST_BYTES:
        raise _too_large()
    try:
        whole = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as error:
        raise CorrectionError("The corrections are nested too deeply.", _EXPORTED) from error
    except ValueError as error:  # also a number of thousands of digits
        raise CorrectionError(f"The corrections are no JSON ({wording.short(str(error), 100)}).", _EXPORTED) from error
    _object("the file", whole, ("schema", "document", "provenance", "corrections"), ("schema", "corrections"))
    if whole["schema"] != SCHEMA:
        raise CorrectionError(f"This is no file of corrections: its schema is “{_shown(whole['schema'])}”.", _EXPORTED)
    about = _object("document", whole.get("document", {}), ("id", "source"))
    provenance = _object("provenance", whole.get("provenance", {}))
    if len(provenance) > 100:
        raise CorrectionError("“provenance” has more than 100 entries.")
    rows = whole["corrections"]
    if not isinstance(rows, list):
        raise CorrectionError("“corrections” must be a list.")
    if len(rows) > MOST:
        raise CorrectionError(f"There are more than {MOST:,} corrections.", "Split the file.")
    found = []
    for n, row in enumerate(rows, 1):
        try:
            found.append(_correction(row))
        except CorrectionError as error:
            raise CorrectionError(f"Correction {n}: {error}", error.remedy) from None
    return Corrections(
        _text("document.id", about.get("id", ""), 200),
        _text("document.source", about.get("source", ""), MOST_NOTE),
        {_text("provenance", k, 200): _text(f"provenance.{_shown(k)}", v, 1000) for k, v in provenance.items()},
        merged(found),
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice in one object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _correction(row: Any) -> Correction:
    keys = ("kind", "of", "at", "was", "to", "product", "note", "by", "item")
    _object("a correction", row, keys, ("kind", "of", "at"))
    product = row.get("product")
    return check(
        Correction(
            _text("kind", row["kind"], 40),
            _text("of", row["of"], 40),
            _anchor("at", row["at"]),
            _said("was", row.get("was", {})),
            _said("to", row.get("to", {})),
            _product(product) if product is not None else None,
            _text("note", row.get("note", ""), MOST_NOTE),
            _text("by", row.get("by", ""), 400),
            _text("item", row.get("item", ""), 100),
        )
    )


def _said(where: str, row: Any) -> dict[str, Any]:
    said = _object(where, row)
    for name, value in said.items():
        if isinstance(value, str):
            _text(f"{where}.{_shown(name)}", value, MOST_NOTE)
        elif name in ("hedge", "is_document"):
            if not isinstance(value, bool):
                raise CorrectionError(f"{where}.{name} must be true or false.")
        elif name != "count":
            raise CorrectionError(f"{where}.{_shown(name)} must be text.")
    return said


def _product(row: Any) -> ProductAnchor:
    _object("product", row, ("name", "is_document", "new", "at"), ("name",))
    for name in ("is_document", "new"):
        if not isinstance(row.get(name, False), bool):
            raise CorrectionError(f"product.{name} must be true or false.")
    at = row.get("at")
    return ProductAnchor(
        _text("product.name", row["name"], 400),
        row.get("is_document", False),
        _anchor("product.at", at) if at is not None else None,
        row.get("new", False),
    )


def _anchor(where: str, row: Any) -> Anchor:
    _object(where, row, ("quote", "prefix", "suffix", "start", "page"), ("quote",))
    for name in ("start", "page"):
        n = row.get(name, 1)
        if isinstance(n, bool) or not isinstance(n, int) or not 0 <= n <= MOST_NUMBER:
            raise CorrectionError(f"{where}.{name} must be a whole number from 0 to {MOST_NUMBER:,}.")
    return Anchor(
        _text(f"{where}.quote", row["quote"], MOST_WORDS),
        _text(f"{where}.prefix", row.get("prefix", ""), 400),
        _text(f"{where}.suffix", row.get("suffix", ""), 400),
        row.get("start", 0),
        row.get("page", 1),
    )


def _object(where: str, row: Any, known: Iterable[str] = (), needed: Iterable[str] = ()) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise CorrectionError(f"{where[:1].upper()}{where[1:]} must be an object in curly brackets.")
    if known:
        _known_keys(where, row, known)
    missing = [name for name in needed if name not in row]
    if missing:
        raise CorrectionError(f"{where[:1].upper()}{where[1:]} lacks “{missing[0]}”.")
    return row


def _text(where: str, value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise CorrectionError(f"{where} must be text.")
    if len(value) > most:
        raise CorrectionError(f"{where} is longer than {most:,} characters.")
    return value
