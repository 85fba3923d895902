"""W3C Web Annotation: an annotation page in JSON-LD, for annotation servers and archives.

Each coding is an annotation with a tag for each of its tags, a quote selector (exact, prefix, suffix) and a position
selector, which counts code points as the data model says. The text itself is not in the file.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from claimscan.records import Anchor
from claimscan.study.codings import CodingError, detail_text
from claimscan.study.deriving import MACHINE
from claimscan.study.formats import unpacking
from claimscan.study.formats.spans import Span, hand_over
from claimscan.study.formats.texts import NOWHERE, Known, guid, held
from claimscan.study.placing import Placer, anchor_in, anchor_of
from claimscan.study.project import Project

CONTEXT = "http://www.w3.org/ns/anno.jsonld"
_NI = "ni:///sha-256;"  # RFC 6920
_CODED = "coded"
_AGAIN = "Use a file in JSON-LD with annotations as the W3C model has them."


# --- out ------------------------------------------------------------------------------------------------------------


def write(project: Project) -> bytes:
    """One page with every annotation, and one annotation of the whole document for each coder who has coded it."""
    items = []
    for document in project.documents:
        target = {"id": _iri(document.id), "type": "Text", "title": held(project.names[document.id])}
        for coder in project.coders(document.id):
            body = {"type": "TextualBody", "value": _CODED, "purpose": "assessing"}
            items.append(_annotation("assessing", coder, [body], {"source": target}, document.id, coder))
        for number, coding in enumerate(project.by_document[document.id]):
            bodies = [{"type": "TextualBody", "value": held(tag), "purpose": "tagging"} for tag in coding.tags]
            for purpose, said in (("describing", detail_text(coding.detail)), ("commenting", coding.note)):
                if said:
                    bodies.append(
                        {"type": "TextualBody", "value": held(said), "format": "text/plain", "purpose": purpose}
                    )
            at = anchor_of(document, coding)
            quote = {"exact": held(at.quote), "prefix": held(at.prefix), "suffix": held(at.suffix)}
            place = {"start": coding.start, "end": coding.end}
            selectors = [{"type": "TextQuoteSelector", **quote}, {"type": "TextPositionSelector", **place}]
            spot = {"type": "SpecificResource", "source": target, "selector": selectors}
            items.append(_annotation("tagging", coding.coder, bodies, spot, document.id, number))
    page = {
        "@context": CONTEXT,
        "id": f"urn:uuid:{guid('page', project.title, *(item['id'] for item in items))}",
        "type": "AnnotationPage",
        "partOf": {
            "id": f"urn:uuid:{guid('collection', project.title)}",
            "type": "AnnotationCollection",
            "label": held(project.title),
            "total": len(items),
        },
        "startIndex": 0,
        "items": items,
    }
    return unpacking.to_json(page).encode()


def _annotation(why: str, coder: str, bodies: list[dict[str, str]], target: Any, *key: object) -> dict[str, Any]:
    kind = "Software" if coder == MACHINE else "Person"
    return {
        "id": f"urn:uuid:{guid('annotation', why, *key)}",
        "type": "Annotation",
        "motivation": why,
        "creator": {"id": f"urn:uuid:{guid('user', coder)}", "type": kind, "name": held(coder)},
        "created": unpacking.DATE,
        "body": bodies,
        "target": target,
    }


def _iri(document: str) -> str:
    """A name of the document that says its bytes (RFC 6920), whatever its address is."""
    try:
        digest = bytes.fromhex(document)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        return f"urn:uuid:{guid('document', document)}"
    return _NI + base64.urlsafe_b64encode(digest).decode().rstrip("=")


# --- in -------------------------------------------------------------------------------------------------------------


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the annotations of a page, a collection, a list, or a single one.

    A coding without a place in characters is placed by its words; one on a part of a page or a picture is listed as lost.

    Args:
        coder: who all are by; without it each is by its creator.

    Raises:
        CodingError: there are no annotations in it.
    """
    whole = unpacking.json_of(data, "The file")
    found = list(_items(whole, 0))
    if not found and not isinstance(unpacking.mapping(whole).get("items"), list):
        raise CodingError("There are no annotations in this file.", _AGAIN)
    ours = {_iri(key): key for key in placer.documents}
    known = Known(placer)
    spans = []
    for one in found:
        bodies = list(_each(one.get("body", one.get("bodyValue"))))
        tags, detail, note = _said(bodies)
        who = coder or _name(one.get("creator"))
        targets = list(_each(one.get("target"))) or [{}]
        for target in targets:
            source = target.get("source", target.get("id")) if isinstance(target, dict) else target
            named = unpacking.string(unpacking.mapping(source).get("id") if isinstance(source, dict) else source)
            title = unpacking.string(unpacking.mapping(source).get("title"))
            key = named.partition("#")[0]
            document = ours.get(key, key if key in placer.documents else "")
            given = unpacking.mapping(target).get("selector")
            if not given and any(unpacking.mapping(b).get("purpose") == "assessing" for b in bodies):
                placer.coded(document, who)
                continue
            at, why = _at(placer, known, document, list(_selectors(given, 0)))
            if why:
                placer.lose(document or title or named, at, tags, who, why)
            else:
                spans.append(Span(document or title or named, at, tags, who, detail, note))
    hand_over(placer, spans)


def _each(value: Any) -> Iterator[Any]:
    """JSON-LD has one as itself, several as a list."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _items(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > 5:
        return
    if isinstance(value, list):
        for one in value:
            yield from _items(one, depth + 1)
    elif isinstance(value, dict):
        if "target" in value:
            yield value
        for key in ("items", "first", "@graph"):
            yield from _items(value.get(key), depth + 1)


def _said(bodies: list[Any]) -> tuple[tuple[str, ...], str, str]:
    """Tags, detail and note of the bodies; a text without a purpose is a note."""
    tags: list[str] = []
    details: list[str] = []
    notes: list[str] = []
    for body in bodies:
        said = body if isinstance(body, str) else unpacking.string(unpacking.mapping(body).get("value"))
        purposes = list(_each(unpacking.mapping(body).get("purpose")))
        if not said:
            continue
        if "tagging" in purposes or "classifying" in purposes:
            tags.append(said)
        elif "describing" in purposes:
            details.append(said)
        else:
            notes.append(said)
    return tuple(dict.fromkeys(tags)), "; ".join(details), "\n".join(notes)


def _name(creator: Any) -> str:
    for one in _each(creator):
        said = unpacking.mapping(one)
        name = said.get("name", said.get("nickname", said.get("id"))) if said else one
        return next((n for n in _each(name) if isinstance(n, str)), "")
    return ""


def _selectors(given: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    for one in _each(given):
        if isinstance(one, dict) and depth < 5:
            yield one
            yield from _selectors(one.get("refinedBy"), depth + 1)


def _at(placer: Placer, known: Known, document: str, selectors: list[Mapping[str, Any]]) -> tuple[Anchor, str]:
    """The place: where the position has the words that the quote says, there; else wherever the words are."""
    quote = next((s for s in selectors if s.get("type") == "TextQuoteSelector"), {})
    place = next((s for s in selectors if s.get("type") == "TextPositionSelector"), {})
    start, end = unpacking.number(place.get("start")), unpacking.number(place.get("end"))
    words, prefix, suffix = (unpacking.string(quote.get(key)) for key in ("exact", "prefix", "suffix"))
    own = placer.documents[document].text if document else ""
    if start is not None and end is not None and 0 <= start < end <= len(own):
        at = anchor_in(own, start, end)
        if not quote or words == held(at.quote):
            return at, ""
    if words:
        return known.by_words(document, words, prefix, suffix)
    if not document:
        return NOWHERE, "The document is none of this study."
    if place:
        return NOWHERE, f"Its place, {start} to {end}, is not in the document."
    kinds = ", ".join(unpacking.string(s.get("type")) for s in selectors) or "the whole document"
    return NOWHERE, f"It is not on words, but on: {kinds[:200]}."
