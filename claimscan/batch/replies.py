"""The right of reply: what bodies answer to the findings about them is taken in, kept with the run and shown with it.

``replies.json`` in the run folder holds every reply, sorted. A reply is never dropped: a new one to the same finding
replaces the earlier, and says so.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, NamedTuple

from claimscan.batch import reply_form as form
from claimscan.batch.ledger import description
from claimscan.batch.reply_sheets import sheets
from claimscan.batch.returned import Line, Note, read
from claimscan.batch.run_tables import batches
from claimscan.errors import ClaimscanError, UnreadableDocument, UsageError
from claimscan.files import write_whole
from claimscan.records import Reply
from claimscan.showing import wording as say
from claimscan.showing.answers import Matched, key, match, paragraphs
from claimscan.showing.tables import bare_cell

__all__ = ["FILE", "Matched", "Taken", "Unplaced", "match", "replies_of", "sheets", "take"]

FILE = "replies.json"

_SHA = re.compile("[0-9a-f]{64}")
_ANSWERS = ("answer", "evidence", "by", "on")


class Unplaced(NamedTuple):
    """A row with an answer that was not taken: its place, why, and the row as it came."""

    place: str
    why: str
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of taking in returned sheets.

    Attributes:
        taken: replies that are new or changed. ``replaced``: those that a later one took the place of.
        unchanged: rows with an answer that the run has already.
        earlier: those of ``taken`` whose finding is no longer in the run, though its document is.
        unplaced: rows with an answer that could not be taken. ``empty``: places of rows without one.
        notes: what was written elsewhere in the files.
        failed: files that could not be read, with the error.
    """

    taken: tuple[Reply, ...] = ()
    replaced: tuple[Reply, ...] = ()
    unchanged: int = 0
    earlier: tuple[Reply, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    empty: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    failed: tuple[tuple[str, ClaimscanError], ...] = ()

    @property
    def documents(self) -> frozenset[str]:
        """The documents whose pages have changed."""
        return frozenset(reply.document for reply in self.taken)


def replies_of(run_folder: str) -> tuple[Reply, ...]:
    """Every reply kept with a run, sorted; none where there is no ``replies.json``.

    Raises:
        UsageError: the file cannot be read or is not what this program writes.
    """
    path = os.path.join(run_folder, FILE)
    wanted = {field.name for field in fields(Reply)}
    try:
        with open(path, "rb") as file:
            rows = json.load(file)
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and set(row) == wanted and all(isinstance(v, str) for v in row.values())
            for row in rows
        ):
            raise ValueError("it is no list of replies")
        return tuple(sorted((Reply(**row) for row in rows), key=_order))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}), and no reply may be lost.", "Bring back a copy of it, or move it away."
        ) from error


def take(run_folder: str, files: Sequence[str]) -> Taken:
    """Take in returned sheets, in the order given; a later file's answer to the same finding replaces an earlier one's.

    A row belongs to the finding that its own words name, as that is what was seen beside the answer; where they name
    none, or several, to the one that its hidden key names. Nothing is guessed: a row that could be about two findings is
    not taken, and neither are two different answers to one finding in one file.

    Raises:
        UsageError: the folder is not that of a finished run, or ``replies.json`` cannot be read or written.
    """
    description(run_folder)
    kept = {key(reply): reply for reply in replies_of(run_folder)}
    lines: list[tuple[int, Line]] = []
    notes: list[Note] = []
    failed: list[tuple[str, ClaimscanError]] = []
    for number, file in enumerate(files):
        try:
            returned = read(file)
        except UnreadableDocument as error:
            failed.append((file, error))
            continue
        lines += [(number, line) for line in returned.lines]
        notes += returned.notes
    empty = tuple(line.place for _, line in lines if not _answered(line))
    lines = [(number, line) for number, line in lines if _answered(line)]
    finder = _Finder(run_folder, [line for _, line in lines])

    unplaced: list[Unplaced] = []
    placed: list[tuple[int, Line, Reply, bool]] = []
    for number, line in lines:
        found = _reply(line, finder)
        if isinstance(found, str):
            unplaced.append(Unplaced(line.place, found, line.cells))
        else:
            placed.append((number, line, *found))
    spoken: dict[tuple[int, Any], set[Reply]] = {}
    for number, _, reply, _ in placed:
        spoken.setdefault((number, key(reply)), set()).add(reply)
    now, unchanged = dict(kept), 0
    replaced: list[Reply] = []
    gone = set()
    for number, line, reply, is_gone in placed:
        if len(spoken[number, key(reply)]) > 1:
            unplaced.append(Unplaced(line.place, str(form.words()["refused"]["twice"]), line.cells))
            continue
        before = now.get(key(reply))
        unchanged += before == reply
        if before is not None and before != reply:
            replaced.append(before)
        now[key(reply)] = reply
        if is_gone:
            gone.add(key(reply))
    changed = {mark: reply for mark, reply in now.items() if kept.get(mark) != reply}
    if changed:
        _keep(run_folder, now.values())
    return Taken(
        taken=tuple(sorted(changed.values(), key=_order)),
        replaced=tuple(sorted(replaced, key=_order)),
        unchanged=unchanged,
        earlier=tuple(sorted((reply for mark, reply in changed.items() if mark in gone), key=_order)),
        unplaced=tuple(unplaced),
        empty=empty,
        notes=tuple(notes),
        failed=tuple(failed),
    )


def _keep(run_folder: str, replies: Iterable[Reply]) -> None:
    rows = [asdict(reply) for reply in sorted(replies, key=_order)]
    text = json.dumps(rows, ensure_ascii=True, indent=1) + "\n"
    write_whole(os.path.join(run_folder, FILE), text.encode("ascii"))


def _order(reply: Reply) -> tuple[str, ...]:
    return reply.source, reply.document, reply.product, reply.claim, reply.answer, reply.evidence, reply.by, reply.on


def _answered(line: Line) -> bool:
    return any(paragraphs(line.cells.get(column, "")) for column in ("answer", "evidence"))


def _reply(line: Line, finder: _Finder) -> tuple[Reply, bool] | str:
    """The row as a reply, and whether its finding is gone; or why it is not taken."""
    said = {c: "\n".join(paragraphs(bare_cell(line.cells.get(c, "")))) for c in _ANSWERS}
    for column, words in said.items():
        limit = form.ANSWER if column in ("answer", "evidence") else form.SMALL
        if len(words) > limit:
            what = {"answer": "answer", "evidence": "evidence", "by": "“who answers”", "on": "date"}[column]
            return str(form.words()["refused"]["too_long"].format(what=what, limit=f"{limit:,}"))
    found = finder.of(line)
    if isinstance(found, str):
        return str(form.words()["refused"][found])
    finding, gone = found
    return replace(finding, **said), gone


class _Finder:
    """The findings of a run that some rows may be about, each as a reply without words."""

    def __init__(self, run_folder: str, lines: Sequence[Line]) -> None:
        self._by_source: dict[str, list[Reply]] = {}
        self._by_document: dict[str, list[Reply]] = {}
        self._sources: dict[str, str] = {}
        names = {form.source_of(line.cells.get("document", "")) for line in lines} - {""}
        keys = {_key_document(line) for line in lines} - {""}
        if not names and not keys:
            return
        for row in batches(run_folder, "products", ["document", "source", "name", "claim"]):
            name = say.clean(row["source"]).casefold()
            if row["document"] in keys or name in names:
                finding = Reply(row["document"], row["source"], row["name"] or "", row["claim"] or "", "")
                if finding not in self._by_document.setdefault(row["document"], []):
                    self._by_document[row["document"]].append(finding)
                    self._by_source.setdefault(name, []).append(finding)
        for row in batches(run_folder, "documents", ["document", "source", "status"], {"document": keys}):
            if row["status"] == "read":
                self._sources.setdefault(row["document"], row["source"])

    def of(self, line: Line) -> tuple[Reply, bool] | str:
        """The row's finding and whether it is gone from the run, or the name of the reason why there is none."""
        document = _key_document(line)
        product, claim = (line.cells.get(c, "") for c in ("key_product", "key_claim"))
        if document and document not in self._sources:
            return "other_run"
        here = self._by_document.get(document, [])
        there = self._by_source.get(form.source_of(line.cells.get("document", "")), [])
        seen, glimpsed = _named(there, line, "product", "claim")
        meant, hinted = _named(here, line, "key_product", "key_claim")
        for some in ([f for f in seen if f in meant], seen, meant, glimpsed, hinted):
            if len(some) == 1:
                return some[0], False
        if seen or meant or glimpsed or hinted:
            return "several"
        # Its finding was in this run when the sheet was made, and rules have changed since: all that is known is the key.
        shown_as = line.cells.get("product", "")
        if document and say.clean(product) and (not shown_as or form.is_product(shown_as, bare_cell(product))):
            return Reply(document, self._sources[document], bare_cell(product), bare_cell(claim), ""), True
        return "unknown"


def _named(findings: Sequence[Reply], line: Line, product: str, claim: str) -> tuple[list[Reply], list[Reply]]:
    """The findings with the row's product and claim, and those with its claim or else its product."""
    name, words = line.cells.get(product, ""), line.cells.get(claim, "")
    named = [f for f in findings if name and form.is_product(name, f.product)]
    # An empty key says that there was no claim; an empty cell that is shown says only that somebody emptied it.
    told = bool(words) or (claim == "key_claim" and claim in line.cells)
    claimed = [f for f in findings if told and form.is_claim(words, f.claim)]
    both = [f for f in named if f in claimed]
    # Having no claim is a thing that findings share, so where there is a name it says nothing by itself.
    return both, claimed if claimed and (form.bare_claim(words) or not name) else named


def _key_document(line: Line) -> str:
    text = line.cells.get("key_document", "").strip().casefold()
    return text if _SHA.fullmatch(text) else ""
