"""One whole page of a document, with the places of quotes marked on it: as a picture, and as words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote as encoded

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from claimscan.errors import ClaimscanError
from claimscan.records import Evidence, Mention, Page
from claimscan.report import Report
from claimscan.showing import wording as say
from claimscan.showing.translating import told
from claimscan.web import worker
from claimscan.web.desk import Desk, named, words_of
from claimscan.web.shelf import Held

MOST_MARKS = 60
MOST_TEXT = 400_000  # characters of one page that are shown


def routes(desk: Desk) -> list[Route]:
    """The pages of this module."""
    pages = _Places(desk)
    return [Route("/d/{id}/page/{number:int}", pages.place), Route("/d/{id}/page/{number:int}.png", pages.picture)]


def address(held: Held) -> Callable[[Any], str]:
    """For the finding's template: where the whole page of a quote is."""
    return lambda q: f"/d/{held.id}/page/{q.page}?mark={encoded(','.join(q.items))}"


class _Places:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def place(self, request: Request) -> Response:
        held, made = self.desk.made(request)
        report = made.report
        page = _page(report, request.path_params["number"])
        marked = _marked(report, request)
        here = [item for item in marked if item.page == page.number]
        drawn = report.document.format == "pdf" and page.width > 0
        query = f"?mark={encoded(','.join(i.id for i in marked))}" if marked else ""
        return self.desk.page(
            "place.html.j2",
            id=held.id,
            name=say.title(report),
            name_language=say.spoken(report, say.title(report)),
            number=page.number,
            count=len(report.document.pages),
            query=query,
            quotes=[
                (words, say.spoken(report, words)) for words in dict.fromkeys(say.short(words_of(i), 400) for i in here)
            ],
            picture=drawn,
            width=round(page.width * 1.5),
            height=round(page.height * 1.5),
            unread=say.sentence(told(page.unread)),
            blocks=await run_in_threadpool(_blocks, report, page, here),
        )

    async def picture(self, request: Request) -> Response:
        held, made = self.desk.made(request)
        report = made.report
        page = _page(report, request.path_params["number"])
        if report.document.format != "pdf":
            raise HTTPException(404)
        boxes = [b for i in _marked(report, request) for b in report.boxes.get(i.id, ()) if b.page == page.number]
        future = self.desk.shelf.reader.call(worker.page_picture, report.document, page.number, boxes)
        data = await run_in_threadpool(worker.outcome, future, held.name)
        if isinstance(data, ClaimscanError):
            raise HTTPException(404)
        return Response(data, media_type="image/png")


def _page(report: Report, number: int) -> Page:
    for page in report.document.pages:
        if page.number == number:
            return page
    raise HTTPException(404)


def _marked(report: Report, request: Request) -> list[Mention | Evidence]:
    """The quotes that the address asks to be marked; ids that are not in the report are left out."""
    known = named(report)
    ids = request.query_params.get("mark", "")[:2000].split(",")[:MOST_MARKS]
    return [known[i] for i in dict.fromkeys(ids) if i in known]


def _blocks(report: Report, page: Page, marked: Sequence[Mention | Evidence]) -> list[dict[str, Any]]:
    """The words of a page by paragraphs, each in parts with or without a mark."""
    text, end = report.text, min(page.end, page.start + MOST_TEXT)
    spans = sorted((i.sentence.start, i.sentence.end) if isinstance(i, Mention) else (i.start, i.end) for i in marked)
    blocks = [(b.start, min(b.end, end), b.kind) for b in report.document.blocks if page.start <= b.start < end]
    out = []
    for start, stop, kind in blocks or [(page.start, end, "paragraph")]:
        parts, at = [], start
        for first, last in spans:
            first, last = max(first, at), min(last, stop)
            if first < last:
                parts += [{"text": text[at:first], "mark": False}, {"text": text[first:last], "mark": True}]
                at = last
        parts.append({"text": text[at:stop], "mark": False})
        parts = [p for p in parts if str(p["text"]).strip()]
        if parts:
            out.append({"kind": kind, "parts": parts, "language": say.spoken(report, text[start:stop])})
    return out
