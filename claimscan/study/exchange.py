"""Codings out of a study into a tool's file, and back: what came back replaces what the coder had of those documents."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from claimscan.errors import UsageError
from claimscan.files import write_whole
from claimscan.study.codings import Coding, CodingError, Lost, in_order
from claimscan.study.deriving import MACHINE
from claimscan.study.folder import Study, coder_name
from claimscan.study.formats import FORMATS, Format
from claimscan.study.placing import Placer
from claimscan.study.project import Project


@dataclass(frozen=True, slots=True)
class Came:
    """What one file brought, against what the same coder had of the same documents.

    Attributes:
        coders: who is in the file; claimscan's own codings in a file are left out. ``documents``: how many it is about.
        same, new, gone: how many codings are as before, are new, are there no more.
        lost: what has no place, also written to ``lost.csv``.
    """

    file: str
    coders: tuple[str, ...]
    documents: int
    same: int
    new: int
    gone: int
    lost: tuple[Lost, ...]


def format_of(name: str, path: str) -> Format:
    """The format that a user names, or that the end of a file's name tells.

    Raises:
        UsageError: there is none, or several have that end.
    """
    if name:
        if name not in FORMATS:
            raise UsageError(f"“{name}” is no format that claimscan knows.", f"Use one of {', '.join(FORMATS)}.")
        return FORMATS[name]
    found = [f for f in FORMATS.values() if path.lower().endswith(f.suffix)]
    if len(found) != 1:
        raise UsageError(f"The end of {path} does not tell the format.", f"Add --format: {', '.join(FORMATS)}.")
    return found[0]


def write(
    study: Study, path: str, form: Format, *, whose: Sequence[str] = (), twice: bool = False, only: Iterable[str] = ()
) -> list[str]:
    """Write a file for a tool. Returns the names of all files written.

    Args:
        whose: coders whose codings are in it, claimscan among them if it is named; none for coding blind.
        twice: only the documents that two people code. ``only``: only documents with these names or ids.
    """
    wanted = set(only)
    rows = [row for row in study.sample() if not twice or row["double"] == "yes"]
    rows = [
        row for row in rows if not wanted or wanted & {row["document"], row["source"], os.path.basename(row["source"])}
    ]
    if not rows:
        raise UsageError("There is no such document in the sample.")
    parts = [study.returned(who) for who in whose]
    kept = {row["document"] for row in rows}
    project = Project(
        str(study.about["title"]),
        [study.document(row["document"], row["source"]) for row in rows],
        study.codes(),
        in_order(c for part in parts for c in part.codings if c.document in kept),
        [pair for part in parts for pair in part.coded if pair[0] in kept],
    )
    written = [path]
    write_whole(path, form.write(project))
    for suffix, make in form.beside.items():
        written.append(os.path.splitext(path)[0] + suffix)
        write_whole(written[-1], make(project))
    return written


def take(study: Study, path: str, form: Format, coder: str = "") -> Came:
    """Take in a file that came back.

    Args:
        coder: whose it is, where the file does not say or says otherwise.

    Raises:
        UsageError: the file cannot be read, or does not say who coded and nobody is named.
        CodingError: it is none of the format.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}).") from error
    placer = Placer(study.documents(), study.codes())
    try:
        form.read(data, placer, coder and coder_name(coder))
    except CodingError as error:
        raise UsageError(f"{path}: {error}", error.remedy) from error
    back = placer.returned()
    coders = sorted({who for _, who in back.coded} - {MACHINE})
    if "" in coders:
        raise UsageError(f"{path} does not say who coded.", "Add --coder NAME.")
    if not coders and not back.lost:
        raise UsageError(f"{path} holds nothing that a person has coded.", "Add --coder NAME if it is somebody's.")
    same = new = gone = 0
    for who in coders:
        documents = {document for document, one in back.coded if one == who}
        now = Counter(map(_said, (c for c in back.codings if c.coder == who)))
        before: Counter[Coding] = Counter()
        if coder_name(who) in study.coders():
            before = Counter(map(_said, (c for c in study.returned(who).codings if c.document in documents)))
        same, new, gone = same + (now & before).total(), new + (now - before).total(), gone + (before - now).total()
        study.keep(who, [c for c in back.codings if c.coder == who], documents)
    name = os.path.basename(path)
    study.keep_lost(name, back.lost)
    return Came(name, tuple(coders), len({document for document, _ in back.coded}), same, new, gone, back.lost)


def _said(coding: Coding) -> Coding:
    return replace(coding, note="", coder="")
