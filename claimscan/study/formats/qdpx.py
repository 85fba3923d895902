"""REFI-QDA project (``.qdpx``): for NVivo, ATLAS.ti, MAXQDA, QualCoder and others.

The standard (version 1.5, of the Rotterdam Exchange Format Initiative) keeps the text of a document in a file of its own
and counts places in it in code points. Tools differ: some count a line end of two characters as one, or UTF-16 units.
Where that matters the words that a tool writes beside a place say which it was.

Written and read with lxml: ``pyrefiqda``, which makes records of the standard's schema, refuses whatever the schema does
not have, and exports of tools have such things.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from claimscan.records import Anchor
from claimscan.study.codings import CodingError
from claimscan.study.deriving import MACHINE
from claimscan.study.formats import unpacking
from claimscan.study.formats.refi_codes import ORIGIN, Paths, add_codes, by_guid, child_text, children, key, local
from claimscan.study.formats.spans import Span, crowded, hand_over, memo, of_memo
from claimscan.study.formats.texts import NOWHERE, Copy, Known, Units, guid, held, written
from claimscan.study.placing import Placer
from claimscan.study.project import Project

SPACE = "urn:QDA-XML:project:1.0"
ID, CODED = "claimscan document", "coded by"  # variables of a document
NAME = 100  # characters of the words of a place that stand beside it

_SOURCES = ("TextSource", "PDFSource", "PictureSource", "AudioSource", "VideoSource")
_NO_WORDS = {
    "PDFSelection": "It is on a part of a PDF page, and the file does not say which words those are.",
    "PictureSelection": "It is on a part of a picture, not on words.",
    "AudioSelection": "It is on a part of a sound recording, not on words.",
    "VideoSelection": "It is on a part of a film, not on words.",
    "TranscriptSelection": "It is on a part of a recording, and the file does not say which words those are.",
}


# --- out ------------------------------------------------------------------------------------------------------------


def write(project: Project) -> bytes:
    """The project with the plain text of each document. Each coding is a selection of its own, coded with all its tags."""
    from lxml import etree

    def add(parent: Any, kind: str, text: str = "", /, **attributes: str) -> Any:
        made = etree.SubElement(parent, f"{{{SPACE}}}{kind}", attributes)
        if text:
            made.text = held(text)
        return made

    root = etree.Element(
        f"{{{SPACE}}}Project",
        {"name": held(project.title), "origin": ORIGIN, "creatingUserGUID": guid("user", MACHINE)},
        nsmap={None: SPACE},
    )
    root.set("creationDateTime", unpacking.DATE)
    users = add(root, "Users")
    coders = {coder for document in project.documents for coder in project.coders(document.id)}
    for coder in sorted(coders | {MACHINE}):
        add(users, "User", guid=guid("user", coder), name=held(coder))
    add_codes(add(root, "CodeBook"), project.codes)
    variables = add(root, "Variables")
    for name in (ID, CODED):
        add(variables, "Variable", guid=guid("variable", name), name=name, typeOfVariable="Text")
    files: dict[str, bytes] = {"project.qde": b""}
    shared = crowded(project.codings)
    sources = add(root, "Sources") if project.documents else None
    for document in project.documents:
        own = guid("document", document.id)
        text = written(document.text)
        files[f"sources/{own}.txt"] = text.encode()
        path = f"internal://{own}.txt"
        made = {"creatingUser": guid("user", MACHINE), "creationDateTime": unpacking.DATE}
        source = add(sources, "TextSource", guid=own, name=held(project.names[document.id]), plainTextPath=path, **made)
        for number, coding in enumerate(project.by_document[document.id]):
            by = {"creatingUser": guid("user", coding.coder), "creationDateTime": unpacking.DATE}
            words = " ".join(text[coding.start : coding.end].split())[:NAME]
            place = {"startPosition": str(coding.start), "endPosition": str(coding.end)}
            selection = add(
                source, "PlainTextSelection", guid=guid("selection", own, number), name=words, **place, **by
            )
            said = memo(coding, own=(coding.document, coding.start, coding.end, coding.coder) in shared)
            if said:
                add(selection, "Description", said)
            for tag in coding.tags:
                one = add(selection, "Coding", guid=guid("coding", own, number, tag), **by)
                add(one, "CodeRef", targetGUID=guid("code", tag))
        for name, value in ((ID, document.id), (CODED, unpacking.joined(project.coders(document.id)))):
            if value:
                said_of_it = add(source, "VariableValue")
                add(said_of_it, "VariableRef", targetGUID=guid("variable", name))
                add(said_of_it, "TextValue", value)
    files["project.qde"] = unpacking.to_xml(_with_things(root, project))
    return unpacking.zipped(files)


def _with_things(root: Any, project: Project) -> Any:
    """The tree with a code for each tag that codings have and the code system lacks: things that people named."""
    from lxml import etree

    known = {code.path for code in project.codes.codes}
    missing = sorted({tag for c in project.codings for tag in c.tags} - known)
    if missing:
        codes = next(root.iter(f"{{{SPACE}}}Codes"))
        group = next((one for one in codes if one.get("name") == "thing"), codes)
        for tag in missing:
            etree.SubElement(
                group, f"{{{SPACE}}}Code", guid=guid("code", tag), name=held(tag), isCodable="true", color="#cccccc"
            )
    return root


# --- in -------------------------------------------------------------------------------------------------------------


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the codings of a project. Memos, and places that are not words, are listed as lost.

    Args:
        coder: who all codings are by; without it each is by the user that the project names.

    Raises:
        CodingError: it is no such project.
    """
    archive = unpacking.Archive(data) if unpacking.is_zip(data) else None
    if archive:
        name = next((n for n in archive.names if n.lower().endswith(".qde")), "")
        if not name:
            raise CodingError("There is no project.qde in the file.", "Export it as “REFI-QDA project (.qdpx)”.")
        data = archive.read(name)
    root = unpacking.xml(data, "project.qde")
    if local(root) != "Project":
        raise CodingError("This is no REFI-QDA project.", "Export it as “REFI-QDA project (.qdpx)”.")
    _Reader(root, archive, placer, coder).read()


@dataclass
class _Reader:
    root: Any
    archive: unpacking.Archive | None
    placer: Placer
    coder: str
    spans: list[Span] = field(default_factory=list)

    def read(self) -> None:
        root = self.root
        self.codes = by_guid(Paths(self.placer.codes), root)
        self.users: dict[str, str] = {
            key(user.get("guid")): user.get("name", user.get("id", key(user.get("guid"))))
            for users in children(root, "Users")
            for user in children(users, "User")
        }
        self.variables: dict[str, str] = {
            key(one.get("guid")): (one.get("name") or "").strip().casefold()
            for some in children(root, "Variables")
            for one in children(some, "Variable")
        }
        self.notes = {
            key(note.get("guid")): note for notes in children(root, "Notes") for note in children(notes, "Note")
        }
        self.files = {name.replace("\\", "/").rpartition("/")[2].lower(): name for name in self._names()}
        self.atlas = "atlas" in (root.get("origin") or "").lower()
        self.known = Known(self.placer)
        self.linked = self._links()
        for sources in children(root, "Sources"):
            for source in children(sources, *_SOURCES):
                self._source(source)
        hand_over(self.placer, self.spans)

    def _names(self) -> list[str]:
        return self.archive.names if self.archive else []

    # --- what stands beside the codings -----------------------------------------------------------------------------

    def _links(self) -> Mapping[str, list[str]]:
        """Notes that a link ties to a place, by the place's guid (NVivo writes annotations so)."""
        found: dict[str, list[str]] = {}
        for links in children(self.root, "Links"):
            for link in children(links, "Link"):
                ends = key(link.get("originGUID")), key(link.get("targetGUID"))
                for one, other in (ends, ends[::-1]):
                    if one in self.notes:
                        found.setdefault(other, []).append(one)
        return found

    def _by(self, *elements: Any) -> str:
        if self.coder:
            return self.coder
        for element in elements:
            for name in ("creatingUser", "modifyingUser", "creatingUserGUID"):
                if key(element.get(name)):
                    return self.users.get(key(element.get(name)), key(element.get(name)))
        return ""

    def _text(self, element: Any) -> str | None:
        """The plain text of a source, a transcript or a note; None where the file does not have it."""
        for content in children(element, "PlainTextContent"):
            return "".join(content.itertext())
        path = (element.get("plainTextPath") or "").replace("\\", "/").rpartition("/")[2].lower()
        if self.archive and path in self.files:
            return unpacking.text(self.archive.read(self.files[path]))
        return None

    def _noted(self, *elements: Any) -> str:
        """The memos of elements, each once."""
        said: dict[str, None] = {}
        for element in elements:
            said[child_text(element, "Description")] = None
            refs = [key(ref.get("targetGUID")) for ref in children(element, "NoteRef")]
            for one in (*refs, *self.linked.get(key(element.get("guid")), ())):
                if one in self.notes:
                    note = self.notes[one]
                    said[self._text(note) or child_text(note, "Description")] = None
        return "\n".join(filter(None, said))

    # --- sources ----------------------------------------------------------------------------------------------------

    def _source(self, source: Any) -> None:
        values = {}
        for value in children(source, "VariableValue"):
            name = next(
                (self.variables.get(key(ref.get("targetGUID")), "") for ref in children(value, "VariableRef")), ""
            )
            values[name] = next(("".join(v.itertext()) for v in value if local(v).endswith("Value")), "")
        kinds = ("Representation", "TextDescription", "Transcript")
        holders = [source] if local(source) == "TextSource" else list(children(source, *kinds))
        texts = [(holder, self._text(holder)) for holder in holders]
        marks = (values.get(ID, ""), source.get("guid"), source.get("name"), child_text(source, "Description"))
        document = self.known.id_of(next((text for _, text in texts if text), ""), marks)
        named = document or source.get("name") or key(source.get("guid"))
        for holder, text in texts:
            self._places(named, holder, text)
        for selection in children(source, *_NO_WORDS):
            self._no_words(named, selection)
        for coding in children(source, "Coding"):
            tags, who = self._tags([coding]), self._by(coding, source)
            self.placer.lose(named, NOWHERE, tags, who, "It is on the whole document, not on words.")
        for who in unpacking.parted(values.get(CODED, "")) if document else ():
            self.placer.coded(document, self.coder or who)

    def _tags(self, codings: Sequence[Any]) -> tuple[str, ...]:
        refs = [key(ref.get("targetGUID")) for coding in codings for ref in children(coding, "CodeRef")]
        return tuple(dict.fromkeys(self.codes.get(ref, ref) for ref in refs))

    def _coded(self, selection: Any) -> Iterator[tuple[str, list[Any]]]:
        """The codings of a selection, by who made them."""
        found: dict[str, list[Any]] = {}
        for coding in children(selection, "Coding"):
            found.setdefault(self._by(coding, selection, self.root), []).append(coding)
        yield from (found or {self._by(selection, self.root): []}).items()

    def _places(self, document: str, holder: Any, text: str | None) -> None:
        selections = list(children(holder, "PlainTextSelection"))
        places: list[tuple[Any, int | None, int | None]] = [
            (one, unpacking.number(one.get("startPosition")), unpacking.number(one.get("endPosition")))
            for one in selections
        ]
        points = {key(p.get("guid")): unpacking.number(p.get("position")) for p in children(holder, "SyncPoint")}
        places += [
            (one, points.get(key(one.get("fromSyncPoint"))), points.get(key(one.get("toSyncPoint"))))
            for one in children(holder, "TranscriptSelection")
        ]
        units = self._units(text or "", places)
        copy = self.known.copy(text or "", document)
        for selection, start, end in places:
            span = units.span(start, end) if start is not None and end is not None else None
            if span:
                self._take(document, copy.anchor(*span), selection)
            elif text is None:
                self._lose(document, selection, "The file does not have the text of this document.")
            elif start is None or end is None:
                self._lose(document, selection, _NO_WORDS.get(local(selection), "Its place is no number."))
            else:
                self._lose(document, selection, f"Its place, {start} to {end}, is not in the text that the file has.")
        for ref in children(holder, "NoteRef"):
            self._note(document, copy, units, self.notes.get(key(ref.get("targetGUID"))))

    def _units(self, text: str, places: Sequence[tuple[Any, int | None, int | None]]) -> Units:
        """How the tool counts: as the standard says, unless the words beside the places fit another way better."""
        ways = [
            Units(text, utf16=wide, line_end=self.atlas ^ other) for other in (False, True) for wide in (False, True)
        ]
        if ways[0].plain and all(way.plain for way in ways):
            return ways[0]

        def fits(units: Units) -> int:
            fit = 0
            for selection, start, end in places:
                name = _flat(selection.get("name"))
                span = units.span(start, end) if start is not None and end is not None else None
                words = _flat(text[slice(*span)]) if span else ""
                fit += bool(name and words) and (words.startswith(name) or name.startswith(words))
            return fit

        return max(ways, key=fits)  # of those that fit alike, the first

    def _take(self, document: str, at: Anchor, selection: Any) -> None:
        for who, codings in self._coded(selection):
            detail, note, own = of_memo(self._noted(selection, *codings))
            self.spans.append(Span(document, at, self._tags(codings), who, detail, note, own))

    def _lose(self, document: str, selection: Any, why: str) -> None:
        at = Anchor(selection.get("name") or "", "", "", 0, 0)
        for who, codings in self._coded(selection):
            said = self._noted(selection, *codings)
            self.placer.lose(
                document, at, self._tags(codings), who, why + (f" Its note: “{said[:300]}”." if said else "")
            )

    def _no_words(self, document: str, selection: Any) -> None:
        """A part of a page, a picture or a recording; it is looked for where it comes with words."""
        words = next((self._text(one) for one in children(selection, "Representation")), None)
        if words and words.strip():
            number = unpacking.number(selection.get("page"))
            at, why = self.known.by_words(document, words, number=None if number is None else number + 1)
            if why:
                self._lose(document, selection, why)
            else:
                self._take(document, at, selection)
        else:
            self._lose(document, selection, _NO_WORDS[local(selection)])

    def _note(self, document: str, copy: Copy, units: Units, note: Any) -> None:
        """A memo on words or on a document, without a code (QualCoder writes annotations so)."""
        if note is None:
            return
        said = self._text(note) or child_text(note, "Description")
        why = f"It is a note and has no code: “{said[:300]}”."
        at = NOWHERE
        for place in children(note, "PlainTextSelection"):
            start, end = unpacking.number(place.get("startPosition")), unpacking.number(place.get("endPosition"))
            span = units.span(start, end) if start is not None and end is not None else None
            at = copy.anchor(*span) if span else at
        self.placer.lose(document, at, (), self._by(note), why)


def _flat(words: str | None) -> str:
    return "".join((words or "").split())[: NAME // 2]
