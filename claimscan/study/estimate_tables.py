"""The tables of estimates of a study: shares of documents and of products, from the machine's grades and people's codings.

A document's grade is that of the document itself where it is graded, else the best of what it made (:func:`beginning.main_of`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from claimscan.codebook import LEVELS, Tables, tables
from claimscan.errors import UsageError
from claimscan.study import estimating
from claimscan.study.adjudicating import ADJUDICATED
from claimscan.study.agreement_tables import number
from claimscan.study.beginning import DRAWABLE, NO_CLAIM, main_of
from claimscan.study.codings import Coding
from claimscan.study.deriving import MACHINE, codings_of, derive, population_of, thing_names
from claimscan.study.drawing import strata
from claimscan.study.folder import Study
from claimscan.study.frameworks import Framework
from claimscan.study.units import things

DOCUMENTS, PRODUCTS = "documents", "products"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "counts": ("document", "source", "stratum", "probability", "group", "by", "id", "grade", "flags", "match"),
    "estimates": (
        *("of", "variable", "value", "group", "method", "share", "low", "high", "se"),
        *("documents", "units", "note"),
    ),
}
METHODS = {
    "naive": "claimscan alone (biased)",
    "coded": "hand coding alone",
    "powered": "claimscan corrected by hand coding",
    "rogan_gladen": "claimscan corrected by sensitivity and specificity",
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Property:
    """One share that is asked for: of what, which variable, which value, and the grades or the flag that have it."""

    of: str
    variable: str
    value: str
    grades: frozenset[str] = frozenset()
    flag: str = ""


def properties(table: Tables | None = None, framework: Framework | None = None) -> tuple[Property, ...]:
    """Every share: each grade, band, being on the scale at all, each flag; of documents also having no claim."""
    table = table or tables()
    made: list[Property] = []
    grades = [*(level.id for level in table.levels), *table.statuses]
    for of in (DOCUMENTS, PRODUCTS):
        kinds = [*grades, NO_CLAIM] if of == DOCUMENTS else grades
        made += [Property(of, "grade", grade, frozenset({grade})) for grade in kinds]
        bands: dict[str, set[str]] = {}
        for level in table.levels:
            bands.setdefault(level.band, set()).add(level.id)
        made += [Property(of, "band", band, frozenset(of_band)) for band, of_band in bands.items()]
        made.append(Property(of, "status", "on the scale", frozenset(LEVELS)))
        if framework:
            terms: dict[str, set[str]] = {}
            for grade in LEVELS:
                terms.setdefault(framework.term(grade, table), set()).add(grade)
            made += [Property(of, framework.column, term, frozenset(of_term)) for term, of_term in terms.items()]
        made += [Property(of, "flag", flag.code, flag=flag.code) for flag in table.flags]
    return tuple(made)


def counts(study: Study, gold: str = "", by: str = "", table: Tables | None = None) -> list[Row]:
    """One row for each product of each document, by claimscan (``by`` is ``claimscan``) and by hand (``hand``), and one with an
    empty ``id`` for each document that claimscan, or a person, went through: all that estimates are made of.

    ``match`` is the same for a product by claimscan and by hand that are one.

    Args:
        gold: whose codings are right; if not given, the adjudicated ones, and of a document that one person alone coded, hers.
        by: a column of the frame; its value is the group.
    """
    if by and by not in study.metadata():
        raise UsageError(
            f"The frame has no column “{by}” of yours.", f"There are: {', '.join(study.metadata()) or 'none'}."
        )
    frame = {row["document"]: row for row in study.frame() if row["status"] == DRAWABLE}
    placed = strata(study)
    products: dict[str, list[dict[str, str]]] = {}
    for product in study.table("products.csv"):
        products.setdefault(product["document"], []).append(product)
    chosen = gold_of(study, gold)
    if not chosen:
        raise UsageError("Nobody has coded a drawn document yet.", "Import codings first.")
    codings: dict[str, list[Coding]] = {key: [] for key in chosen}
    for who in sorted(set(chosen.values())):
        for coding in study.returned(who).codings:
            if chosen.get(coding.document) == who:
                codings[coding.document].append(coding)
    out: list[Row] = []
    for key, row in frame.items():
        stratum, chance = placed[key]
        about = {"document": key, "source": row["source"], "stratum": stratum, "probability": repr(chance)}
        about["group"] = row[by] if by else ""
        machine = [
            {"id": p["id"], "grade": p["grade"], "is_document": p["is_document"] == "yes", "flags": _flags(p)}
            for p in products.get(key, [])
        ]
        hand, match = _by_hand(study, row, codings[key], table) if key in chosen else ([], {})
        for who, found in ((MACHINE, machine), *([("hand", hand)] if key in chosen else [])):
            main = main_of(found)
            out.append({**about, "by": who, "id": "", "grade": main.get("grade", NO_CLAIM), "flags": _all_flags(found)})
            for p in found:
                said = {"id": p["id"], "grade": p["grade"], "flags": " ".join(p["flags"])}
                out.append({**about, "by": who, **said, "match": match.get((who, p["id"]), "")})
    return out


def gold_of(study: Study, gold: str = "") -> dict[str, str]:
    """Whose codings are taken for right, by document. A document on which coders are not settled is not in it."""
    drawn = {row["document"] for row in study.sample()}
    if gold:
        if gold not in study.coders():
            raise UsageError(f"Nobody called “{gold}” has coded anything.", f"There are: {', '.join(study.coders())}.")
        return {document: gold for document, _ in study.returned(gold).coded if document in drawn}
    by_document: dict[str, list[str]] = {}
    for who in study.coders():
        for document, _ in study.returned(who).coded:
            by_document.setdefault(document, []).append(who)
    return {
        document: ADJUDICATED if ADJUDICATED in who else who[0]
        for document, who in by_document.items()
        if document in drawn and (ADJUDICATED in who or len(who) == 1)
    }


def _by_hand(
    study: Study, row: Mapping[str, str], codings: Sequence[Coding], table: Tables | None
) -> tuple[list[Row], dict[tuple[str, str], str]]:
    """The products that a person's codings of one document make, and which of claimscan's each is."""
    document = study.document(row["document"], row["source"])
    whole = study.report(document.id)
    population = population_of(whole)
    own: dict[str, Sequence[Coding]] = {MACHINE: codings_of(whole), "hand": codings}
    reports = {side: derive(document, population, coded, {}, table) for side, coded in own.items()}
    hand = reports["hand"]
    ids = {
        MACHINE: {name: key for key, name in thing_names(whole["products"]).items()},
        "hand": {p.name: p.id for p in hand.products},
    }
    match: dict[tuple[str, str], str] = {}
    for n, unit in enumerate(things(document, own, reports), 1):
        if len(unit.names) == 2:
            match |= {(side, ids[side][name]): str(n) for side, name in unit.names.items()}
    found = [
        {
            "id": p.id,
            "grade": hand.findings[p.id].grade,
            "is_document": p.is_document,
            "flags": [f.code for f in hand.findings[p.id].flags],
        }
        for p in hand.products
    ]
    return found, match


def _flags(product: Mapping[str, str]) -> list[str]:
    return " ".join(product[kind] for kind in ("concerns", "asks", "credits")).split()


def _all_flags(found: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(sorted({code for p in found for code in p["flags"]}))


def estimates(
    rows: Sequence[Mapping[str, str]], table: Tables | None = None, framework: Framework | None = None
) -> list[Row]:
    """Every share by every method, of all documents and of each group, from the rows of :func:`counts`."""
    documents = [row for row in rows if not row["id"]]
    products = [row for row in rows if row["id"]]
    out: list[Row] = []
    for asked in properties(table, framework):
        units = documents if asked.of == DOCUMENTS else products
        given = _population(documents, units, asked)
        found = estimating.by_group(given, _pairs(documents, units, asked))
        for group, by_method in found.items():
            out += [_row(asked, group, one) for one in by_method.values()]
    return out


def _has(row: Mapping[str, str], asked: Property) -> bool:
    return asked.flag in row["flags"].split() if asked.flag else row["grade"] in asked.grades


def _population(
    documents: Sequence[Mapping[str, str]], units: Sequence[Mapping[str, str]], asked: Property
) -> list[estimating.Row]:
    have: dict[tuple[str, str], list[int]] = {}
    for row in units:
        one = have.setdefault((row["document"], row["by"]), [0, 0])
        one[0] += _has(row, asked)
        one[1] += 1
    coded = {row["document"] for row in documents if row["by"] == "hand"}
    out = []
    for row in documents:
        if row["by"] == MACHINE:
            document = row["document"]
            m_y, m_n = have.get((document, MACHINE), [0, 0])
            h: Any = have.get((document, "hand"), [0, 0]) if document in coded else [None, None]
            chance = float(row["probability"])
            out.append(estimating.Row(document, row["stratum"], chance, m_y, m_n, h[0], h[1], row["group"]))
    return out


def _pairs(
    documents: Sequence[Mapping[str, str]], units: Sequence[Mapping[str, str]], asked: Property
) -> list[estimating.Pair]:
    """Units that are one by claimscan and by hand, each said by both."""
    sides: dict[tuple[str, str], dict[str, bool]] = {}
    for row in units:
        match = row.get("match", "") if asked.of == PRODUCTS else "document"
        if match:
            sides.setdefault((row["document"], match), {})[row["by"]] = _has(row, asked)
    return [
        estimating.Pair(document, said[MACHINE], said["hand"])
        for (document, _), said in sides.items()
        if len(said) == 2
    ]


def _row(asked: Property, group: str, one: estimating.Estimate) -> Row:
    notes = [one.reason, *one.warnings, *(["It came out under 0 or over 1."] if one.clipped else [])]
    return {
        "of": asked.of,
        "variable": asked.variable,
        "value": asked.value,
        "group": group,
        "method": one.method,
        "share": number(one.value),
        "low": number(one.low),
        "high": number(one.high),
        "se": number(one.se),
        "documents": one.documents,
        "units": f"{one.units:g}",
        "note": " ".join(note for note in notes if note),
    }
