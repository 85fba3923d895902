"""What a body answered, beside the finding it is about: found again, and made ready to show in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from claimscan.records import Product, Reply
from claimscan.report import Report
from claimscan.showing import wording as say

FOLDED = 700  # characters of an answer that are shown before it is folded

_BREAKS = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]+")


class Matched(NamedTuple):
    """Replies by the document and product id of their finding, and those to an earlier reading."""

    found: Mapping[tuple[str, str], Reply]
    earlier: tuple[Reply, ...]


def same(text: str) -> str:
    """The words of a name or claim as they are compared: case, spaces and invisible characters do not count."""
    return say.clean(text).casefold()


def key(reply: Reply) -> tuple[str, str, str]:
    """What one finding has one reply by."""
    return reply.document, same(reply.product), same(reply.claim)


def match(replies: Iterable[Reply], products: Iterable[Mapping[str, Any]]) -> Matched:
    """Find each reply's finding again.

    A reply belongs to the finding with its document, product name and claim. After rules have changed it belongs to the
    only finding of the document that has its claim, or else the only one that has its name, if that has no reply of its
    own. Otherwise it is to an earlier reading.

    Args:
        products: rows with ``document``, ``id``, ``name`` and ``claim``; the claim as :func:`claim` has it.
    """
    open_: dict[str, list[tuple[str, str, str]]] = {}
    for row in products:
        open_.setdefault(row["document"], []).append((row["id"], same(row["name"] or ""), same(row["claim"] or "")))
    waiting: dict[str, list[tuple[tuple[str, str, str], Reply]]] = {}
    for reply in replies:
        waiting.setdefault(reply.document, []).append((key(reply), reply))
    found: dict[tuple[str, str], Reply] = {}
    earlier: list[Reply] = []
    for document, given in waiting.items():
        here = open_.get(document, [])
        for alike in (_whole, _claim, _name):
            still = []
            for mine, reply in given:
                fits = [p for p in here if alike(p) and alike(p) == alike(mine)]
                rivals = sum(alike(other) == alike(mine) for other, _ in given)
                if not fits or (alike is not _whole and (len(fits) > 1 or rivals > 1)):
                    still.append((mine, reply))
                    continue
                found |= {(document, p[0]): reply for p in fits}
                here = [p for p in here if p not in fits]
            given = still
        earlier += [reply for _, reply in given]
    return Matched(found, tuple(earlier))


def _whole(part: tuple[str, str, str]) -> object:
    return part[1:]


def _claim(part: tuple[str, str, str]) -> object:
    return part[2]


def _name(part: tuple[str, str, str]) -> object:
    return part[1]


def claim(report: Report, product: Product) -> str:
    """The sentence of the product's first claim, as the tables of a run have it; empty where there is none."""
    spoken = {m.id: m for m in report.mentions}
    claims = (spoken[m] for m in product.mentions if m in spoken and spoken[m].type in say.CLAIM_TYPES)
    return next((m.sentence.text for m in claims), "")


def of_report(report: Report, replies: Iterable[Reply]) -> Matched:
    """:func:`match` for one report; replies about other documents are passed over."""
    about = report.document.id
    rows = [{"document": about, "id": p.id, "name": p.name, "claim": claim(report, p)} for p in report.products]
    return match((r for r in replies if r.document == about), rows)


def paragraphs(text: str) -> list[str]:
    """Somebody's own words, a paragraph an entry, without control or direction characters."""
    return [line for line in map(say.clean, _BREAKS.split(text)) if line]


def shown(reply: Reply) -> dict[str, Any]:
    """The reply as the page shows it. ``opening`` is empty where the whole is short enough to stand open."""
    by, on = say.clean(reply.by), say.clean(reply.on)
    return {
        "product": say.short(reply.product, 140),
        "claim": say.short(reply.claim, 400),
        "answer": _folding(reply.answer),
        "evidence": _folding(reply.evidence),
        "from": ", ".join(part for part in (by, on) if part),
    }


def _folding(text: str) -> dict[str, Any]:
    lines = paragraphs(text)
    whole = " ".join(lines)
    return {"opening": say.short(whole, FOLDED) if len(whole) > FOLDED else "", "whole": lines}
