"""What a format is given to write: documents, codes, codings, and who has coded what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from claimscan.records import Document
from claimscan.showing import wording
from claimscan.study.codes import CodeSystem
from claimscan.study.codings import Coding, in_order

_NO_FILE_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff/\\:*?"<>|]+')


@dataclass(frozen=True)
class Project:
    """One file's content.

    Attributes:
        documents: all of the file, also those with no coding.
        codings: of these documents; none for a blank file, in which people code.
        coded: pairs of document and coder who has coded it, also where there was nothing to code. Whoever has codings in
            a document is taken to have coded it.
    """

    title: str
    documents: Sequence[Document]
    codes: CodeSystem
    codings: Sequence[Coding] = ()
    coded: Sequence[tuple[str, str]] = ()

    @cached_property
    def names(self) -> Mapping[str, str]:
        """A name for each document, by id, that no other has and that can be the name of a file."""
        found: dict[str, str] = {}
        used: set[str] = set()
        for document in self.documents:
            source = document.source.replace("\\", "/").rsplit("/", 1)[-1]
            name = " ".join(_NO_FILE_NAME.sub(" ", wording.short(document.title, 80) or source).split())[:80].strip(
                ". "
            )
            name, n = name or "document", 1
            plain = name
            while name.casefold() in used:
                n += 1
                name = f"{plain} ({n})"
            used.add(name.casefold())
            found[document.id] = name
        return found

    @cached_property
    def by_document(self) -> Mapping[str, Sequence[Coding]]:
        """The codings of each document, in order."""
        found: dict[str, list[Coding]] = {document.id: [] for document in self.documents}
        for coding in in_order(self.codings):
            if coding.document in found:
                found[coding.document].append(coding)
        return found

    def coders(self, document: str) -> Sequence[str]:
        """Who has coded a document, in order."""
        said = {coder for one, coder in self.coded if one == document}
        return sorted(said | {coding.coder for coding in self.by_document[document]})
