"""doccano: JSON lines for sequence labelling, a line for each document and coder.

doccano keeps a place and one label, so each tag is a label of its own. It keeps further columns of a line as they are;
``codings`` in them says which labels belong together, with detail and note. Places are UTF-16 code units, as doccano
counts where “Count grapheme clusters as one character” is off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claimscan.study.codings import Coding, CodingError, detail_text
from claimscan.study.deriving import MACHINE
from claimscan.study.formats import unpacking
from claimscan.study.formats.spans import Span, hand_over
from claimscan.study.formats.texts import NOWHERE, Known, Units, held, written
from claimscan.study.placing import Placer
from claimscan.study.project import Project

_EVERYBODY = ("all", "unknown", "")  # names of files that are no person's


# --- out ------------------------------------------------------------------------------------------------------------


def write(project: Project) -> bytes:
    lines = []
    for document in project.documents:
        text = written(document.text)
        units = Units(text, utf16=True)
        coders = project.coders(document.id)
        for coder in coders or [""]:
            codings = [c for c in project.by_document[document.id] if c.coder == coder]
            places = [(units.count(c.start), units.count(c.end), c) for c in codings]
            line = {
                "text": text,
                "label": [list(one) for one in sorted({(s, e, held(tag)) for s, e, c in places for tag in c.tags})],
                "title": project.names[document.id],
                "document": held(document.id),
                "coder": held(coder),
                "coded": bool(coders),
                "codings": [_row(start, end, c) for start, end, c in places],
            }
            lines.append(unpacking.to_json(line, None) + "\n")
    return "".join(lines).encode()


def _row(start: int, end: int, coding: Coding) -> dict[str, Any]:
    tags = [held(tag) for tag in coding.tags]
    return {
        "start": start,
        "end": end,
        "tags": tags,
        "detail": held(detail_text(coding.detail)),
        "note": held(coding.note),
    }


def labels(project: Project) -> bytes:
    """The labels, for “Labels”, “Import labels” (spans)."""
    made = [
        {"text": held(code.path), "suffix_key": None, "background_color": code.colour, "text_color": "#000000"}
        for code in project.codes.codes
        if not code.is_group
    ]
    return unpacking.to_json(made).encode()


# --- in -------------------------------------------------------------------------------------------------------------


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the codings of a JSONL file, or of the archive that doccano exports, with one such file a user.

    What the machine coded stays the machine's until somebody has changed it. doccano does not say which documents somebody has looked at. One with no label counts as coded where it was written so,
    or where a comment on it says ``coded``.

    Args:
        coder: who all codings are by; without it whoever the line names, else the user whose file it is.

    Raises:
        CodingError: it is no such file.
    """
    known = Known(placer)
    spans: list[Span] = []
    some = False
    for user, number, row in _rows(data):
        text = row.get("text", row.get("data"))
        if not isinstance(text, str):
            raise CodingError(f"Line {number} has no text.", "Export from a sequence labelling project as JSONL.")
        some = True
        who = unpacking.string(row.get("coder"))
        if not who or (who == MACHINE and user and _changed(row)):  # what a person has made of the machine's is hers
            who = user or who
        document = known.id_of(text, (row.get("document"),))
        named = document or unpacking.string(row.get("title")) or f"line {number}"
        _line(placer, known, row, text, named, coder or who, spans)
    if not some:
        raise CodingError("There is no line in the file.", "Export from a sequence labelling project as JSONL.")
    hand_over(placer, spans)


def _rows(data: bytes) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """The rows of a file or an archive, each with the user whose file it is in."""
    files = [("", data)]
    if unpacking.is_zip(data):
        archive = unpacking.Archive(data)
        names = [n for n in archive.names if n.lower().endswith((".jsonl", ".json"))]
        files = [(n.replace("\\", "/").rpartition("/")[2].rpartition(".")[0], archive.read(n)) for n in names]
    for name, content in files:
        user = "" if name.lower() in _EVERYBODY else name
        said = unpacking.text(content)
        if said.lstrip().startswith("["):
            rows = unpacking.sequence(unpacking.json_of(said, "The file"))
        else:
            lines = said.split("\n")  # not splitlines: a text may hold other line ends
            rows = [unpacking.json_of(one, f"Line {n}") for n, one in enumerate(lines, 1) if one.strip()]
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                raise CodingError(f"Line {number} is no row of a table.", "Export it from doccano as JSONL.")
            yield user, number, row


def _changed(row: Mapping[str, Any]) -> bool:
    """Whether the labels are others than those that were written with the row."""
    written = {
        (unpacking.string(one.get("start")), unpacking.string(one.get("end")), tag)
        for one in map(unpacking.mapping, unpacking.sequence(row.get("codings")))
        for tag in map(unpacking.string, unpacking.sequence(one.get("tags")))
    }
    return {tuple(map(unpacking.string, label)) for label in _labels(row)} != written


def _labels(row: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Start, end and label of each label of a row, in whichever form."""
    given = row.get("label", row.get("labels"))
    for label in given if isinstance(given, list) else unpacking.sequence(row.get("entities")):
        one = unpacking.mapping(label)
        if one:
            yield one.get("start_offset"), one.get("end_offset"), one.get("label")
        else:
            start, end, tag = (*unpacking.sequence(label), None, None, None)[:3]
            yield start, end, tag


def _line(
    placer: Placer, known: Known, row: Mapping[str, Any], text: str, document: str, who: str, spans: list[Span]
) -> None:
    units, copy = Units(text, utf16=True), known.copy(text, document)
    found: dict[tuple[int, int], dict[str, None]] = {}
    for first, last, name in _labels(row):
        start, end, tag = unpacking.number(first), unpacking.number(last), unpacking.string(name)
        if start is None or end is None or not units.span(start, end):
            why = "Its place is not in the text that the file has."
            placer.lose(document, NOWHERE, (tag,) if tag else (), who, why)
        else:
            found.setdefault((start, end), {})[tag] = None
    coded = bool(found) or row.get("coded") is True
    for comment in unpacking.sequence(row.get("Comments", row.get("comments"))):
        words = unpacking.string(comment) or unpacking.string(unpacking.mapping(comment).get("text"))
        if words.strip().casefold() == "coded":
            coded = True
        elif words.strip():
            why = f"It is a comment on the document and has no code: “{words[:300]}”."
            placer.lose(document, NOWHERE, (), who, why)
    if unpacking.sequence(row.get("relations")):
        placer.lose(document, NOWHERE, (), who, "There are links between codings in it.")
    if coded:
        placer.coded(document, who)
    written: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for said in map(unpacking.mapping, unpacking.sequence(row.get("codings"))):
        start, end = unpacking.number(said.get("start")), unpacking.number(said.get("end"))
        if start is not None and end is not None:
            written.setdefault((start, end), []).append(said)
    for (start, end), tags in found.items():
        at = copy.anchor(*(units.span(start, end) or (0, 0)))
        left = dict(tags)
        for said in written.get((start, end), ()):
            own = [tag for tag in map(unpacking.string, unpacking.sequence(said.get("tags"))) if tag in tags]
            if own and own[0] == next(iter(unpacking.sequence(said.get("tags")))):  # its code is still there
                for tag in own:
                    left.pop(tag, None)
                detail, note = unpacking.string(said.get("detail")), unpacking.string(said.get("note"))
                spans.append(Span(document, at, tuple(own), who, detail, note))
        spans += [Span(document, at, (tag,), who) for tag in left]
