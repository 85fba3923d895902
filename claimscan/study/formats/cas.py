"""UIMA CAS in XMI, for INCEpTION: an archive with a file for each document and coder, read and written with dkpro-cassis.

Offsets in a CAS are UTF-16 code units; cassis converts them. One layer holds the codings, with a feature for each part of
a coding; ``layer.json`` defines it with its tag sets for INCEpTION.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

from claimscan.records import Anchor
from claimscan.study.codes import CodeSystem
from claimscan.study.codings import ALSO, THING, WHO, CodingError, detail_text
from claimscan.study.formats import unpacking
from claimscan.study.formats.spans import Span, hand_over
from claimscan.study.formats.texts import NOWHERE, Copy, Known, held, written
from claimscan.study.placing import Placer
from claimscan.study.project import Project

LAYER = "webanno.custom.Claimscan"
METADATA = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData"
TYPES = "TypeSystem.xml"

_TEXT = "uima.cas.String"
_FEATURES = {
    "code": "Code: what the words show.",
    THING: "About: the name of the thing made, or “this document”.",
    ALSO: "Also: what else is said of it, and whose evidence it is.",
    "detail": "Detail: of a count, as le_n=12; unit=members.",
    "note": "Note: your memo.",
}
_SAFE = " @.+-_()'"  # in the name of a file
# What tools add on their own: no person's work.
_ADDED = ("uima.", "de.tudarmstadt.ukp.dkpro.core.api.segmentation.", "de.tudarmstadt.ukp.dkpro.core.api.metadata.")
_ADDED_ALSO = ("de.tudarmstadt.ukp.clarin.webanno.api.type.", "org.dkpro.core.api.xml.", "org.dkpro.core.api.pdf.")
_NOT_PEOPLE = ("INITIAL_CAS", "project")  # what was imported, what was suggested


# --- out ------------------------------------------------------------------------------------------------------------


def write(project: Project) -> bytes:
    """``source`` has each document without codings, to import; ``annotation`` one file for each document and coder."""
    types = type_system()
    files = {TYPES: _bytes(types.to_xml()), "layer.json": unpacking.to_json(layer(project.codes)).encode()}
    for document in project.documents:
        files[f"source/{project.names[document.id]}.xmi"] = _xmi(project, document.id, written(document.text), None)
        for coder in project.coders(document.id):
            name = f"annotation/{project.names[document.id]}.xmi/{quote(coder, safe=_SAFE)}.xmi"
            files[name] = _xmi(project, document.id, written(document.text), coder)
    return unpacking.zipped(files)


def _cassis() -> Any:
    try:
        import cassis
    except ImportError as error:
        raise CodingError("The package dkpro-cassis is not installed.", "Install claimscan[study].") from error
    return cassis


@lru_cache(maxsize=1)
def type_system() -> Any:
    return _types_of_ours()


def _types_of_ours() -> Any:
    """The types of a project: the layer of codings, and the one that says which document it is."""
    cassis = _cassis()

    types = cassis.TypeSystem()
    coding = types.create_type(name=LAYER, description="Codings", supertypeName="uima.tcas.Annotation")
    for name, about in _FEATURES.items():
        range_type = "uima.cas.StringArray" if name == ALSO else _TEXT
        types.create_feature(coding, name, range_type, description=about)
    base = "uima.tcas.DocumentAnnotation"
    metadata = types.create_type(name=METADATA, description="Which document it is", supertypeName=base)
    for name in ("documentTitle", "documentId"):
        types.create_feature(metadata, name, _TEXT)
    return types


def _xmi(project: Project, document: str, text: str, coder: str | None) -> bytes:
    cassis = _cassis()

    types = type_system()
    cas = cassis.Cas(types)
    cas.sofa_string = text
    cas.sofa_mime = "text/plain"
    title = held(project.names[document])
    cas.add(types.get_type(METADATA)(begin=0, end=len(text), documentTitle=title, documentId=held(document)))
    coding, strings = types.get_type(LAYER), types.get_type("uima.cas.StringArray")
    for one in project.by_document[document]:
        if one.coder == coder:
            said = {
                "code": one.code,
                THING: held(one.thing) or None,
                "detail": held(detail_text(one.detail)) or None,
                "note": held(one.note) or None,
            }
            also = strings(elements=list(one.also)) if one.also else None
            cas.add(coding(begin=one.start, end=one.end, **said, **{ALSO: also}))
    return _bytes(cas.to_xmi(pretty_print=False))


def _bytes(text: str) -> bytes:
    return text.encode()


def layer(codes: CodeSystem) -> list[dict[str, Any]]:
    """The layer as INCEpTION's “Layers” page imports it, with a tag set for codes, for things, and for what else."""

    def tags(name: str, about: str, groups: tuple[str, ...], others: bool, more: bool) -> dict[str, Any]:
        made = [
            {"tag_name": code.name if groups == (THING,) else code.path, "tag_description": code.about}
            for code in codes.codes
            if not code.is_group and (code.group in groups) is not others
        ]
        return {"name": f"claimscan {name}", "description": about, "language": "en", "tags": made, "create_tag": more}

    sets = {
        "code": tags("codes", "The codes of the codebook.", (THING, WHO, ALSO), True, False),
        THING: tags("things", "What a coding is about.", (THING,), False, True),
        ALSO: tags("also", "What else is said, and whose evidence it is.", (ALSO, WHO), False, False),
    }
    features = [
        {
            "name": name,
            "uiName": about.partition(":")[0],
            "description": about,
            "type": f"{_TEXT}Array" if name == ALSO else _TEXT,
            "tag_set": sets.get(name),
            "enabled": True,
            "visible": True,
            "include_in_hover": False,
            "required": name == "code",
            "remember": name in ("code", THING),
            "multi_value_mode": "ARRAY" if name == ALSO else "NONE",
            "link_mode": "NONE",
            "curatable": True,
            "rank": rank,
        }
        for rank, (name, about) in enumerate(_FEATURES.items())
    ]
    return [
        {
            "name": LAYER,
            "uiName": "claimscan",
            "type": "span",
            "description": "Codes of the codebook of claimscan",
            "enabled": True,
            "built_in": False,
            "readonly": False,
            "allow_stacking": True,
            "cross_sentence": True,
            "show_hover": True,
            "anchoring_mode": "CHARACTERS",
            "overlap_mode": "ANY_OVERLAP",
            "validation_mode": "ALWAYS",
            "lock_to_token_offset": False,
            "multiple_tokens": True,
            "linked_list_behavior": False,
            "features": features,
        }
    ]


# --- in -------------------------------------------------------------------------------------------------------------


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """Tell the placer the codings of an archive as written here, of an INCEpTION project export, or of one document.

    A document that its user has not finished, and that has no coding, counts as not coded where the export says so.

    Args:
        coder: who all codings are by; without it each is by the user whose file it is.

    Raises:
        CodingError: there is no XMI in it.
    """
    known = Known(placer)
    if not unpacking.is_zip(data):
        _read_one(placer, known, data, _types(None), "", coder, True)
        return
    archive = unpacking.Archive(data)
    states = _states(archive)
    outer = next((archive.read(name) for name in archive.names if name.rpartition("/")[2] == TYPES), None)
    found = any(name.lower().endswith(".xmi") for name in archive.names)  # a blank one has no coder's
    for name, folder, user in _members(archive):
        found = True
        inner, types, content = None, outer, archive.read(name)
        if name.lower().endswith(".zip"):
            inner = unpacking.Archive(content)
            main = next((n for n in inner.names if n.lower().endswith((".xmi", ".json"))), "")
            own = next((n for n in inner.names if n.rpartition("/")[2] == TYPES), "")
            types, content = (inner.read(own) if own else outer), (inner.read(main) if main else b"")
        finished = states.get((folder, user), "FINISHED") == "FINISHED"
        try:
            _read_one(placer, known, content, _types(types), folder, coder or user, finished)
        except CodingError as error:
            placer.lose(folder or name, NOWHERE, (), coder or user, f"Its file cannot be read: {error}")
    if not found:
        raise CodingError(
            "There is no XMI file in the archive.",
            "Export the project with “UIMA CAS XMI (XML 1.0)” as the secondary format.",
        )


def _members(archive: unpacking.Archive) -> Iterator[tuple[str, str, str]]:
    """The files with codings: name in the archive, document, user."""
    for name in archive.names:
        parts = name.replace("\\", "/").split("/")
        stem, _, ending = parts[-1].rpartition(".")
        if ending.lower() not in ("xmi", "zip", "json") or unquote(stem) in _NOT_PEOPLE:
            continue
        above = parts[:-1]
        if len(above) >= 2 and above[-2] in ("annotation", "curation"):
            yield name, above[-1], unquote(stem)
        elif ending.lower() == "xmi" and "source" not in above:
            yield name, stem, ""


def _states(archive: unpacking.Archive) -> Mapping[tuple[str, str], str]:
    """How far each user has come with each document, where the export says."""
    names = [n for n in archive.names if n.endswith(".json") and "/" not in n]
    found = [unpacking.mapping(unpacking.json_of(archive.read(n), n)).get("annotation_documents") for n in names]
    rows = [unpacking.mapping(row) for one in found for row in unpacking.sequence(one)]
    return {
        (unpacking.string(row.get("name")), unpacking.string(row.get("user"))): unpacking.string(row.get("state"))
        for row in rows
    }


@lru_cache(maxsize=4)
def _types(data: bytes | None) -> Any:
    if data is None:
        return None
    cassis = _cassis()

    unpacking.xml(data, TYPES)
    try:
        return cassis.load_typesystem(io.BytesIO(data))
    except Exception as error:  # cassis has no error of its own for all that can be wrong
        raise CodingError(f"{TYPES} cannot be read.") from error


def _read_one(placer: Placer, known: Known, data: bytes, types: Any, named: str, coder: str, finished: bool) -> None:
    """One document as one user coded it."""
    try:
        cas = _cas(data, types)
        text = cas.sofa_string or ""
        annotations = [(one.type.name, one, one.begin, one.end) for one in cas.select_all_annotations()]
    except CodingError:
        raise
    except Exception as error:  # as above
        raise CodingError("It is no CAS that can be read.") from error
    marks = [getattr(one, "documentId", None) for name, one, _, _ in annotations if name == METADATA]
    document = known.id_of(text, marks) or named
    copy = known.copy(text, document)
    spans: list[Span] = []
    for name, one, start, end in annotations:
        if name.startswith(_ADDED + _ADDED_ALSO):
            continue
        if name == LAYER:
            _take(placer, copy, document, coder, one, start, end, spans)
        else:
            at, layer_name = _at(copy, start, end), name.rpartition(".")[2]
            value = unpacking.string(getattr(one, "value", None))
            tag = f"{layer_name}/{value}" if value else layer_name
            placer.lose(
                document, at, (tag,), coder, f"It is in the layer “{layer_name}”, which is none of claimscan's."
            )
    hand_over(placer, spans)
    if finished:
        placer.coded(document, coder)


def _cas(data: bytes, types: Any) -> Any:
    cassis = _cassis()

    if data.lstrip()[:1] == b"{":
        unpacking.json_of(data, "The file")
        return cassis.load_cas_from_json(io.BytesIO(data))
    root = unpacking.xml(data, "The XMI")
    return cassis.load_cas_from_xmi(io.BytesIO(data), typesystem=types or _inferred(root), lenient=True)


def _inferred(root: Any) -> Any:
    """The types of an XMI without its type system, as far as the XMI shows them, so that nothing in it is passed over."""
    types = _types_of_ours()
    for element in root:
        space, _, name = element.tag.rpartition("}")
        space = space.removeprefix("{http:///").removesuffix(".ecore").replace("/", ".")
        if not space or space.startswith(("{http", "uima.")):
            continue
        full = f"{space}.{name}"
        if not types.contains_type(full):
            base = "uima.tcas.Annotation" if "begin" in element.attrib else "uima.cas.TOP"
            types.create_type(name=full, supertypeName=base)
        kind = types.get_type(full)
        known = {feature.name for feature in kind.all_features}
        ranges = {str(child.tag): f"{_TEXT}Array" for child in element}
        ranges |= {key: _TEXT for key in element.attrib if not key.startswith("{")}
        for key, range_type in ranges.items():
            if key not in known:
                types.create_feature(kind, key, range_type)
    return types


def _at(copy: Copy, start: Any, end: Any) -> Anchor:
    if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(copy.text):
        return copy.anchor(start, end)
    return NOWHERE


def _take(
    placer: Placer, copy: Copy, document: str, coder: str, one: Any, start: Any, end: Any, spans: list[Span]
) -> None:
    also = getattr(one, ALSO, None)
    also = getattr(also, "elements", also)
    beside = [also] if isinstance(also, str) else unpacking.sequence(also)
    thing = unpacking.string(getattr(one, THING, None)).strip()
    said = [getattr(one, "code", None), f"{THING}/{thing}" if thing else "", *beside]
    tags = tuple(dict.fromkeys(filter(None, map(unpacking.string, said))))
    detail, note = (unpacking.string(getattr(one, name, None)) for name in ("detail", "note"))
    at = _at(copy, start, end)
    if at.quote:
        spans.append(Span(document, at, tags, coder, detail, note))
    else:
        placer.lose(document, at, tags, coder, f"Its place, {start} to {end}, is not in the text that the file has.")
