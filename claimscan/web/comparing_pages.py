"""The page that says what is different between two documents; ``claimscan.comparing`` does the work."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from claimscan.errors import ClaimscanError
from claimscan.showing import wording as say
from claimscan.showing.differences import FAIR
from claimscan.showing.translating import tr
from claimscan.web import taking, worker
from claimscan.web.desk import Desk
from claimscan.web.shelf import Held, Shelf

TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def routes(desk: Desk) -> list[Route]:
    """The pages of this module."""
    pages = _Comparing(desk)
    return [Route("/compare", pages.different), Route("/compare/get/{kind}", pages.get)]


def choices(shelf: Shelf) -> list[tuple[str, str]]:
    """The documents that can be compared, in the order in which they came: the id and the name of each, and where two have
    one name, which of them it is."""
    read = [held for held in shelf.all() if held.made is not None]
    names = [held.name for held in read]
    found = []
    for at, held in enumerate(read):
        n = names[: at + 1].count(held.name)
        several = names.count(held.name) > 1
        found.append((held.id, tr("{name} (number {n})").format(name=held.name, n=n) if several else held.name))
    return found


class _Comparing:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def different(self, request: Request) -> Response:
        before, after = self._two(request)
        known = dict(choices(self.desk.shelf))
        context: dict[str, Any] = {
            "versions": list(known.items()),
            "before": before.id,
            "after": after.id,
            "names": [known[held.id] for held in (before, after)],
            "asked": urlencode({"before": before.id, "after": after.id}),
            "swapped": urlencode({"before": after.id, "after": before.id}),
            "fair": FAIR,
            "found": None,
        }
        if before is not after:
            context["found"] = await self._compared(before, after, "page")
        return self.desk.page("compare.html.j2", 400 if before is after else 200, **context)

    async def get(self, request: Request) -> Response:
        before, after = self._two(request)
        kind = request.path_params["kind"]
        if kind not in TYPES or before is after:
            raise HTTPException(404)
        data = await self._compared(before, after, kind)
        headers = {"Content-Disposition": taking.attachment(after.name, f".compared.{kind}")}
        return Response(data, media_type=TYPES[kind], headers=headers)

    def _two(self, request: Request) -> tuple[Held, Held]:
        """The two documents that the address names; 404 where one is not there, or not read."""
        two = [self.desk.shelf.get(request.query_params.get(name, "")) for name in ("before", "after")]
        before, after = two
        if before is None or after is None or before.made is None or after.made is None:
            raise HTTPException(404)
        return before, after

    async def _compared(self, before: Held, after: Held, kind: str) -> Any:
        found = await run_in_threadpool(self._outcome, before, after, kind)
        if isinstance(found, ClaimscanError):
            raise found
        return found

    def _outcome(self, before: Held, after: Held, kind: str) -> Any:
        assert before.made is not None and after.made is not None
        sides = (held.report.to_dict(with_text=True) for held in (before.made, after.made))
        future = self.desk.shelf.reader.call(worker.compared, *sides, kind)
        return worker.outcome(future, say.clean(before.name))
