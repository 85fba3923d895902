"""Spans with tags as tools hand them back, made into codings and told to the placer.

Some tools keep each tag of a span apart. Then what a coding is about, and what else is said of it, comes back beside its
code and not with it, and is put together again here. Where codings share a span, what a tool keeps as the memo says which
tags were whose (:func:`memo`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from claimscan.records import Anchor
from claimscan.study.codings import ALSO, DETAILS, THING, WHO, Coding, detail_text
from claimscan.study.placing import Placer

_BESIDE = (THING, WHO, ALSO)
_DETAIL = re.compile(rf"\s*(?:{'|'.join(DETAILS)})\s*=")
_OWN = re.compile(r"\+ ([^/\n]+/[^\n]+?)\s*")
_NOTE = "note:"


@dataclass(frozen=True, slots=True)
class Span:
    """One span of a file.

    Attributes:
        document: its id; its name in the file where it is none of the study's.
        own: the tags that its memo says it had, the code first.
    """

    document: str
    at: Anchor
    tags: tuple[str, ...]
    coder: str = ""
    detail: str = ""
    note: str = ""
    own: tuple[str, ...] = ()


# --- memos ----------------------------------------------------------------------------------------------------------


def crowded(codings: Iterable[Coding]) -> frozenset[tuple[str, int, int, str]]:
    """The places (document, start, end, coder) that have more than one coding."""
    seen: set[tuple[str, int, int, str]] = set()
    twice: set[tuple[str, int, int, str]] = set()
    for coding in codings:
        at = (coding.document, coding.start, coding.end, coding.coder)
        (twice if at in seen else seen).add(at)
    return frozenset(twice)


def memo(coding: Coding, *, own: bool = False) -> str:
    """What a tool keeps as the memo of a coding: its detail on the first line, then its note.

    Args:
        own: add its tags, a line each, the code first.
    """
    detail, note = detail_text(coding.detail), coding.note
    lines = [detail] if detail else []
    if note:
        first, last = note.partition("\n")[0], note.rpartition("\n")[2]
        if not detail and (_DETAIL.match(first) or first.strip() == _NOTE):
            lines.append(_NOTE)
        lines.append(note)
        if last.strip() == "+" or _OWN.fullmatch(last):
            lines.append("+")
    if own:
        lines += [f"+ {tag}" for tag in coding.tags]
    return "\n".join(lines)


def of_memo(text: str) -> tuple[str, str, tuple[str, ...]]:
    """Detail, note, and own tags of such a memo; whatever a person wrote is a note."""
    lines = text.split("\n")
    own: list[str] = []
    while lines and (match := _OWN.fullmatch(lines[-1])):
        own.insert(0, match[1])
        lines.pop()
    if lines and lines[-1].strip() == "+":
        lines.pop()
    detail = lines.pop(0).strip() if lines and _DETAIL.match(lines[0]) else ""
    if not detail and lines and lines[0].strip() == _NOTE:
        lines.pop(0)
    return detail, "\n".join(lines), tuple(own)


# --- handing over ---------------------------------------------------------------------------------------------------


def hand_over(placer: Placer, spans: Iterable[Span]) -> None:
    """Tell the placer each span, those of one place together. Codes that are not the codebook's are listed as lost."""
    known = {code.path for code in placer.codes.codes if not code.is_group}
    places: dict[tuple[str, int, str, str], list[Span]] = {}
    for span in spans:
        ours = tuple(t for t in span.tags if t in known or (t.startswith(f"{THING}/") and len(t) > len(THING) + 1))
        strange = tuple(t for t in span.tags if t not in ours)
        if strange:
            has_code = any(map(_is_code, ours))
            names = ", ".join(f"“{t[:80]}”" for t in strange)
            of_it = strange if has_code else span.tags
            placer.lose(span.document, span.at, of_it, span.coder, f"{names} is no code of this codebook.")
            if not has_code:
                placer.coded(span.document, span.coder)
                continue
        at = (span.document, span.at.start, span.at.quote, span.coder)
        places.setdefault(at, []).append(replace(span, tags=ours))
    for group in places.values():
        for span in _together(placer, group):
            placer.take(span.document, span.at, span.tags, detail=span.detail, note=span.note, coder=span.coder)


def _is_code(tag: str) -> bool:
    return tag.partition("/")[0] not in _BESIDE


def _together(placer: Placer, group: Sequence[Span]) -> list[Span]:
    """The spans of one place with the tags that came back beside them."""
    whole = [span for span in group if any(map(_is_code, span.tags))]
    loose = [span for span in group if span not in whole]
    if not whole or not loose:
        return list(group)
    there = dict.fromkeys(tag for span in group for tag in span.tags)
    # A memo says what its coding was; it holds as far as the tags are still there, and the code is.
    fresh = [span for span in group if span.own and set(span.tags) <= set(span.own)]
    said = {span.own: span for span in fresh if span.own[0] in there}
    made = [replace(span, tags=tuple(tag for tag in own if tag in there)) for own, span in said.items()]
    claimed = {tag for span in made for tag in span.tags}
    made += [span for span in whole if span not in fresh]
    new = [tag for span in loose for tag in span.tags if tag not in claimed]
    things = [tag for tag in new if tag.startswith(f"{THING}/")]
    about = [any(tag.startswith(f"{THING}/") for tag in span.tags) for span in made]
    for at, span in enumerate(made):
        more = [tag for tag in new if tag not in things or not about[at]]
        made[at] = replace(span, tags=tuple(dict.fromkeys([*span.tags, *more])))
    if things and all(about):
        made += [replace(span, detail="", note="") for span in loose if set(things) & set(span.tags)]
    for span in loose:
        if span in fresh or not (span.detail or span.note) or _memo_of(span) in map(_memo_of, made):
            continue
        bare = [at for at, one in enumerate(made) if _memo_of(one) == ("", "") and any(map(_is_code, one.tags))]
        for at in bare:
            made[at] = replace(made[at], detail=span.detail, note=span.note)
        if not bare:
            words = "; ".join(filter(None, _memo_of(span)))[:200]
            placer.lose(span.document, span.at, span.tags, span.coder, f"Its note has no coding to go with: “{words}”.")
    return made


def _memo_of(span: Span) -> tuple[str, str]:
    return span.detail, span.note
