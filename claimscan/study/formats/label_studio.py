"""Label Studio: tasks as JSON, and the labelling configuration that goes with them.

What people coded is written as annotations, what claimscan coded as predictions. Offsets are code points, as Label Studio
counts now; older versions count UTF-16 units, and the words that stand with each place say which it was.
Who coded is an answer of its own: an import refuses people who have no account there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claimscan.records import Anchor
from claimscan.study.codings import ALSO, THING, WHO, Coding, CodingError, detail_text
from claimscan.study.deriving import MACHINE
from claimscan.study.formats import unpacking
from claimscan.study.formats.spans import Span, hand_over
from claimscan.study.formats.texts import NOWHERE, Known, Units, guid, held, written
from claimscan.study.placing import Placer
from claimscan.study.project import Project

_TEXT = "text"
_CODE, _NEW, _DETAIL, _NOTE, _CODER = "code", "new_thing", "detail", "note", "coder"


# --- out ------------------------------------------------------------------------------------------------------------


def write(project: Project) -> bytes:
    """A task for each document."""
    known = {code.path for code in project.codes.codes}
    tasks = []
    for document in project.documents:
        text = written(document.text)
        by: dict[str, list[Coding]] = {coder: [] for coder in project.coders(document.id)}
        for coding in project.by_document[document.id]:
            by[coding.coder].append(coding)
        task: dict[str, Any] = {
            "data": {_TEXT: text, "title": project.names[document.id], "document": held(document.id)},
            "annotations": [],
            "predictions": [],
        }
        for coder, codings in by.items():
            result = [part for n, c in enumerate(codings) for part in _result(text, c, n, known)]
            if coder == MACHINE:
                task["predictions"].append({"model_version": MACHINE, "result": result})
            else:
                who = _part(guid("coder", document.id, coder), _CODER, "textarea", {}, text=[held(coder)])
                task["annotations"].append({"result": [who, *result], "was_cancelled": False})
        tasks.append(task)
    return unpacking.to_json(tasks).encode()


def _part(key: str, name: str, kind: str, place: Mapping[str, Any], **value: Any) -> dict[str, Any]:
    # In an answer in words ``text`` is the answer, else the words of the place.
    return {"id": key, "from_name": name, "to_name": _TEXT, "type": kind, "value": {**place, **value}}


def _result(text: str, coding: Coding, number: int, known: Iterable[str]) -> Iterable[dict[str, Any]]:
    key = guid("region", coding.document, coding.coder, number)
    place = {"start": coding.start, "end": coding.end, "text": text[coding.start : coding.end]}
    yield _part(key, _CODE, "labels", place, labels=[coding.code])
    thing = f"{THING}/{coding.thing}"
    if coding.thing and thing in known:
        yield _part(key, THING, "choices", place, choices=[held(thing)])
    elif coding.thing:
        yield _part(key, _NEW, "textarea", place, text=[held(coding.thing)])
    if coding.also:
        yield _part(key, ALSO, "choices", place, choices=list(coding.also))
    for name, said in ((_DETAIL, detail_text(coding.detail)), (_NOTE, coding.note)):
        if said:
            yield _part(key, name, "textarea", place, text=[held(said)])


def config(project: Project) -> bytes:
    """The labelling configuration (“Labeling Interface”, “Code”) for such tasks."""
    from lxml import etree

    def add(parent: Any, kind: str, /, **attributes: str) -> Any:
        return etree.SubElement(parent, kind, {key: held(value) for key, value in attributes.items()})

    view = etree.Element("View")
    add(view, "Style").text = ".htx-text { white-space: pre-wrap; }"
    add(view, "Header", value="$title")
    add(view, "Filter", name="filter", toName=_CODE, minlength="0", placeholder="Find a code")
    labels = add(view, "Labels", name=_CODE, toName=_TEXT)
    for code in project.codes.codes:
        if not code.is_group and code.group not in (THING, WHO, ALSO):
            add(labels, "Label", value=code.path, hint=code.about, background=code.colour)
    add(view, "Text", name=_TEXT, value=f"${_TEXT}", granularity="symbol")
    each = {"toName": _TEXT, "perRegion": "true"}
    for name, title, groups, choice in (
        (THING, "What is it about?", (THING,), "single"),
        (ALSO, "What else is said of it? Whose evidence is it?", (ALSO, WHO), "multiple"),
    ):
        add(view, "Header", value=title)
        choices = add(view, "Choices", name=name, choice=choice, showInline="true", **each)
        for code in project.codes.codes:
            if not code.is_group and code.group in groups:
                add(choices, "Choice", value=code.path, hint=code.about)
    for name, title in (
        (_NEW, "Or about another thing: its name"),
        (_DETAIL, "Detail, as le_n=12; unit=members"),
        (_NOTE, "Note"),
    ):
        add(view, "TextArea", name=name, placeholder=title, maxSubmissions="1", editable="true", **each)
    add(view, "Header", value="Who is coding? Give your name, also where there is nothing to code.")
    add(view, "TextArea", name=_CODER, toName=_TEXT, placeholder="Your name", maxSubmissions="1", editable="true")
    # Without an XML declaration: Label Studio fails on one.
    return bytes(etree.tostring(view, encoding="unicode", pretty_print=True).encode())


# --- in -------------------------------------------------------------------------------------------------------------


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the codings of an export (“JSON”, not “JSON-MIN”).

    Whoever has submitted a task has coded the document, also with nothing in it; a skipped task is not coded.

    Args:
        coder: who all annotations are by; without it the name given in the task, else the account. Predictions stay the
            machine's.

    Raises:
        CodingError: it is no such export.
    """
    tasks = unpacking.json_of(data, "The file")
    tasks = [tasks] if isinstance(tasks, dict) else tasks
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise CodingError("This is no list of Label Studio tasks.", "Export the project as “JSON”.")
    if tasks and not any({"data", "annotations", "predictions", "completions"} & set(task) for task in tasks):
        raise CodingError("These tasks have no annotations as “JSON” has them.", "Export as “JSON”, not “JSON-MIN”.")
    known = Known(placer)
    spans: list[Span] = []
    for task in tasks:
        values = unpacking.mapping(task.get("data"))
        text = next((v for v in (values.get(_TEXT), *values.values()) if isinstance(v, str)), "")
        marks = (values.get("document"), task.get("document"))
        document = known.id_of(text, marks)
        named = document or unpacking.string(values.get("title")) or f"task {unpacking.string(task.get('id'))}"
        reader = _Task(placer, known, text, named, spans)
        for kind in ("annotations", "completions", "predictions", "drafts"):
            for one in unpacking.sequence(task.get(kind)):
                if isinstance(one, dict):  # an export may have only the numbers of predictions
                    reader.annotation(one, coder, kind)
    hand_over(placer, spans)


class _Task:
    """One document of an export."""

    def __init__(self, placer: Placer, known: Known, text: str, document: str, spans: list[Span]) -> None:
        self._placer, self._known, self._document, self._spans = placer, known, document, spans
        self._copy = known.copy(text, document)
        self._ways = Units(text), Units(text, utf16=True)

    def annotation(self, one: Mapping[str, Any], coder: str, kind: str) -> None:
        results = list(map(unpacking.mapping, unpacking.sequence(one.get("result"))))
        said = next((_said(r) for r in results if r.get("from_name") == _CODER and _said(r)), "")
        if kind == "predictions":
            who = unpacking.string(one.get("model_version")) or MACHINE
        else:
            who = coder or said or _account(one.get("completed_by", one.get("user")))
        why = "The task was skipped." if one.get("was_cancelled") is True else ""
        why = "It is a draft that was not submitted." if kind == "drafts" else why
        if not why:
            self._placer.coded(self._document, who)
        regions: dict[str, list[Mapping[str, Any]]] = {}
        for number, result in enumerate(results):
            if result.get("from_name") == _CODER:
                continue
            regions.setdefault(unpacking.string(result.get("id")) or f"\x1f{number}", []).append(result)
        for parts in regions.values():
            self._region(parts, who, why)

    def _region(self, parts: Sequence[Mapping[str, Any]], who: str, unused: str) -> None:
        tags: list[str] = []
        detail = note = ""
        for part in parts:
            value, name = unpacking.mapping(part.get("value")), part.get("from_name")
            if part.get("type") == "relation":
                self._placer.lose(self._document, NOWHERE, (), who, "It is a link between two codings.")
            elif name in (_DETAIL, _NOTE):
                detail, note = (_said(part), note) if name == _DETAIL else (detail, _said(part))
            elif name == _NEW:
                tags += [f"{THING}/{one.strip()}" for one in _strings(value.get("text")) if one.strip()]
            else:
                given = next((v for k, v in value.items() if isinstance(v, list) and k != "text"), [])
                tags += _strings(given)
            meta = "\n".join(_strings(unpacking.mapping(part.get("meta")).get("text")))
            note = note or meta
        if not any(part.get("type") != "relation" for part in parts):
            return
        places = [p for p in (unpacking.mapping(part.get("value")) for part in parts) if "start" in p]
        place = next((p for p in places if isinstance(p.get(_TEXT), str)), places[0] if places else {})
        at, why = self._at(place)
        why = unused or why
        if why:
            self._placer.lose(self._document, at, tuple(tags), who, why)
        else:
            self._spans.append(Span(self._document, at, tuple(dict.fromkeys(tags)), who, detail, note))

    def _at(self, place: Mapping[str, Any]) -> tuple[Anchor, str]:
        """The place that fits the words beside it; the words where none does."""
        offsets = unpacking.mapping(place.get("globalOffsets")) or place
        start, end = unpacking.number(offsets.get("start")), unpacking.number(offsets.get("end"))
        words = place.get(_TEXT) if isinstance(place.get(_TEXT), str) else ""
        first = None
        for units in self._ways if start is not None and end is not None else ():
            span = units.span(start, end)  # type: ignore[arg-type]
            if span and (not words or _plain(self._copy.text[slice(*span)]) == _plain(words)):
                return self._copy.anchor(*span), ""
            first = first or span
        if words:
            return self._known.by_words(self._document, words)
        if start is None or end is None:
            return NOWHERE, "It is on no words of the text."
        return NOWHERE, f"Its place, {start} to {end}, is not in the text that the file has."


def _plain(words: str) -> str:
    return "".join(words.replace("\\n", "\n").split())


def _strings(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [one for one in unpacking.sequence(value) if isinstance(one, str)]


def _said(part: Mapping[str, Any]) -> str:
    return "\n".join(_strings(unpacking.mapping(part.get("value")).get("text")))


def _account(value: Any) -> str:
    account = unpacking.mapping(value)
    return unpacking.string(account.get("email") or account.get("username") or account.get("id") or value)
