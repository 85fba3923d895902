"""The questions that a finding leaves open (codebook 5.1), most telling first."""

from __future__ import annotations

from claimscan.codebook import Gap, Tables
from claimscan.codebook import tables as codebook_tables
from claimscan.records import Finding, Question


def questions(finding: Finding, page: int | None = None, tables: Tables | None = None) -> tuple[Question, ...]:
    """One question for each gap: the status's own question, then what would raise the grade, then flags, then the
    rest.

    A gap is a slot that the document does not state, one whose value leaves it open (``open`` in codes.toml), or
    one that a concern or ask flag points to. Names of contributors are never asked for.

    Args:
        finding: the judgement of one product.
        page: the page of the claim, for the question about the statement itself.
    """
    table = tables or codebook_tables()
    raising = [gap for step in finding.next for gap in step.gap.split("+")]
    raised = {flag.code for flag in finding.flags if flag.kind != "credit"}

    def rank(gap: Gap) -> tuple[bool, int, bool]:
        place = raising.index(gap.gap) if gap.gap in raising else len(raising)
        return (
            finding.grade not in gap.grades and bool(gap.slot or not gap.flags & raised),
            place,
            not gap.flags & raised,
        )

    statement = f"the statement on page {page}" if page else "the statement"
    return tuple(
        Question(gap.gap, gap.ask, gap.record.replace("{page}", statement))
        for gap in sorted((gap for gap in table.gaps if _open(gap, finding, raised, table)), key=rank)
    )


def _open(gap: Gap, finding: Finding, raised: set[str], table: Tables) -> bool:
    if finding.grade in gap.grades or gap.flags & raised:
        return True
    if not gap.slot:
        return False
    value = finding.slots.get(gap.slot)
    if isinstance(value, dict):
        value = value.get("kind")
    stated = set(value) if isinstance(value, list) else {value} - {None}
    return stated <= table.slots[gap.slot].open
