"""The table of what coders differ on, out to the adjudicator and back: CSV that any spreadsheet opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from claimscan.errors import UsageError
from claimscan.study.adjudicating import ADJUDICATED, COLUMNS, Decided, Question, decide, questions
from claimscan.study.folder import Study, rows, table

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a sheet of decisions.

    Attributes:
        settled: documents with nothing open. ``open``: questions with no decision, in documents of the study.
        unusable: questions and why their decision cannot be made of what was coded.
        unknown: rows of the sheet that are about nothing on which these coders differ (now).
    """

    settled: tuple[str, ...]
    open: tuple[Question, ...]
    unusable: tuple[tuple[Question, str], ...]
    unknown: tuple[Mapping[str, str], ...]


def sheet(study: Study, coders: Sequence[str]) -> tuple[bytes, int]:
    """The sheet, with room for decision, rule and note, and how many questions are on it. Decisions made before are filled in."""
    before = decisions(study)
    lines = []
    for document, asked in _asked(study, coders):
        for q in asked:
            said = before.get(q.key, {})
            lines.append(
                {
                    "variable": q.variable,
                    "unit": q.unit,
                    "document": document,
                    "page": str(q.page),
                    "quote": q.quote,
                    "values": "; ".join(f"{who}: {value}" for who, value in q.said),
                    **{name: said.get(name, "") for name in ("decision", "rule", "note")},
                }
            )
    return table(lines, COLUMNS), len(lines)


def take(study: Study, coders: Sequence[str], path: str) -> Taken:
    """Keep the decisions of a sheet, and the codings that they make of each document in which nothing is open.

    Raises:
        UsageError: it is no such sheet.
    """
    given = rows(path)
    if given and not {"variable", "unit", "document", "decision"} <= set(given[0]):
        raise UsageError(f"{path} is no sheet of decisions.", "Give the sheet that “claimscan study adjudicate” wrote.")
    kept = decisions(study) | {_key(row): row for row in given if row.get("decision", "").strip()}
    study.keep_table("decisions.csv", list(kept.values()), COLUMNS)
    codings = study.everyone().codings
    made: dict[str, Decided] = {}
    known: set[Key] = set()
    names = {row["document"]: row["source"] for row in study.sample()}
    for document, asked in _asked(study, coders):
        known |= {q.key for q in asked}
        read = study.document(document, names[document])
        said = {key: row["decision"] for key, row in kept.items()}
        made[document] = decide(read, study.population(document), codings, coders, said)
    settled = [document for document, one in made.items() if one.settled]
    study.keep(ADJUDICATED, [c for document in settled for c in made[document].codings], settled)
    return Taken(
        tuple(settled),
        tuple(q for one in made.values() for q in one.open),
        tuple(pair for one in made.values() for pair in one.unusable),
        tuple(row for row in given if _key(row) not in known),
    )


def decisions(study: Study) -> dict[Key, dict[str, str]]:
    """The decisions that the study has, by the key of their question."""
    return {_key(row): row for row in study.table("decisions.csv")}


def _key(row: Mapping[str, str]) -> Key:
    return row.get("document", ""), row.get("variable", ""), row.get("unit", "")


def _asked(study: Study, coders: Sequence[str]) -> list[tuple[str, tuple[Question, ...]]]:
    """The questions of each document that all of the coders have coded."""
    if len(coders) < 2:
        raise UsageError("Adjudication is between two coders or more.", "Name them with --coders.")
    returned = {who: study.returned(who) for who in coders}
    by_all = set.intersection(*({document for document, _ in one.coded} for one in returned.values()))
    codings = [c for one in returned.values() for c in one.codings]
    return [
        (
            row["document"],
            questions(
                study.document(row["document"], row["source"]), study.population(row["document"]), codings, coders
            ),
        )
        for row in study.sample()
        if row["document"] in by_all
    ]
