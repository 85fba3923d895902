"""The pages and what they do. Everything works without script; the script only shows progress and takes drops."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from claimscan.errors import ClaimscanError
from claimscan.showing import wording as say
from claimscan.showing.translating import language, message, told, tr
from claimscan.web import comparing_pages, correcting_pages, languages, letter_pages, places, taking, worker
from claimscan.web.desk import Desk
from claimscan.web.guard import MOST_BYTES, Guard, Keys, TooLarge
from claimscan.web.shelf import Held, Shelf

STEPS = (
    message("waiting for its turn"),
    message("reading the words on its pages"),
    message("looking for claims and what it says about them"),
    message("drawing the places"),
)
WAIT = 10.0  # seconds that one request waits for a reading at most
AT_ONCE = 1.5  # seconds to wait before a page of progress is worth showing
TYPES = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "corrections": "application/json",
}
LINES = (
    (message("What kind of document"), "about"),
    (message("What it claims"), "claims"),
    (message("What it shows"), "shows"),
    (message("What it leaves open"), "ceiling"),
    (message("It states: concerns"), "concern"),
    (message("It is silent: to ask"), "ask"),
    (message("It states: good practice"), "credit"),
)


def application(
    shelf: Shelf, keys: Keys, port: int, stop: Callable[[], None] = lambda: None, most: int = MOST_BYTES
) -> ASGIApp:
    """The whole application, with its guard around it."""
    desk = Desk(shelf, keys, stop, most)
    pages = _Pages(desk)
    routes = [
        Route("/", pages.start),
        Route("/assets/{name}", pages.asset),
        Route("/documents", pages.documents, methods=["GET"]),
        Route("/documents", pages.take, methods=["POST"]),
        Route("/documents/progress", pages.all_progress),
        Route("/d/{id}", pages.document),
        Route("/d/{id}/progress", pages.progress),
        Route("/d/{id}/cancel", pages.cancel, methods=["POST"]),
        Route("/d/{id}/delete", pages.delete, methods=["POST"]),
        Route("/d/{id}/keep", pages.keep, methods=["POST"]),
        Route("/d/{id}/get/{kind}", pages.get),
        Route("/history", pages.history),
        Route("/history/{kept}/open", pages.reopen, methods=["POST"]),
        Route("/history/{kept}/delete", pages.forget, methods=["POST"]),
        Route("/stop", pages.stop, methods=["POST"]),
        Route("/language", pages.language, methods=["POST"]),
        *places.routes(desk),
        *comparing_pages.routes(desk),
        *correcting_pages.routes(desk),
        *letter_pages.routes(desk),
    ]
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        ClaimscanError: pages.failed,
        HTTPException: pages.nothing_here,
        Exception: pages.fault,
    }
    app = languages.Speaking(Starlette(routes=routes, exception_handlers=handlers), desk.language)
    return Guard(app, keys, port, most)


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.shelf = desk.shelf

    # --- choosing and reading ---

    async def start(self, request: Request) -> Response:
        return self._start()

    def _start(self, problem: str = "", remedy: str = "", pasted: str = "", status: int = 200) -> Response:
        return self.desk.page(
            "start.html.j2",
            status,
            here="/",
            problem=told(problem),
            remedy=told(remedy),
            pasted=pasted,
            fair=tr(say.FAIR),
            most_bytes=self.desk.most,
            most_mb=self.desk.most // 1_000_000,
            most_files=taking.MOST_FILES,
            most_text=taking.MOST_TEXT,
        )

    async def asset(self, request: Request) -> Response:
        from claimscan.web.pages import asset

        name = request.path_params["name"]
        try:
            text = asset(name)
        except KeyError:
            raise HTTPException(404) from None
        return Response(text, media_type="text/css" if name.endswith(".css") else "text/javascript")

    async def take(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        try:
            brought = await taking.documents(form)
            taken = [await run_in_threadpool(self.shelf.add, name, data) for name, data in brought]
        except ClaimscanError as error:
            return self._start(str(error), error.remedy, taking.field(form, "text", taking.MOST_TEXT), 400)
        finally:
            await form.close()
        return _to(f"/d/{taken[0].id}" if len(taken) == 1 else "/documents")

    async def document(self, request: Request) -> Response:
        held = self.desk.held(request)
        await run_in_threadpool(held.ready.wait, WAIT if "wait" in request.query_params else AT_ONCE)
        if not held.ready.is_set():
            at = worker.STAGES.index(held.stage)
            return self.desk.page(
                "progress.html.j2",
                id=held.id,
                name=held.name,
                stage=held.stage,
                at=at,
                steps=[tr(step) for step in STEPS],
            )
        if held.cancelled:
            said = tr("{name} was not read, because you stopped it.").format(name=held.name)
            return self.desk.failed(tr("Stopped"), said, tr("You can choose it again."), held)
        if held.made is None:
            assert held.error is not None
            return self.desk.failed(tr("This could not be read"), str(held.error), held.error.remedy, held, 200)
        return await run_in_threadpool(self._found, held, "undone" in request.query_params)

    def _found(self, held: Held, undone: bool) -> Response:
        made = held.made
        assert made is not None
        return self.desk.page(
            "found.html.j2",
            # What was changed stands first on this page, with the way to undo it.
            **{**made.finding, "changed": []},
            id=held.id,
            kept=held.kept,
            pdf=made.report.document.format == "pdf",
            undone=undone,
            href=places.address(held),
            fix=correcting_pages.question(held),
            after=letter_pages.link(held),
            **correcting_pages.changes(made.report),
        )

    async def progress(self, request: Request) -> Response:
        """How far it is, as JSON, once it is further than ``after``."""
        held = self.desk.held(request)
        known, until = request.query_params.get("after"), time.monotonic() + WAIT
        while not held.ready.is_set() and held.stage == known and time.monotonic() < until:
            await run_in_threadpool(held.ready.wait, 0.15)
        at = worker.STAGES.index(held.stage)
        words = tr(STEPS[at])
        sentence = tr("Step {n} of {all}: {what}.").format(n=at + 1, all=len(STEPS), what=words)
        return JSONResponse(
            {"ready": held.ready.is_set(), "stage": held.stage, "at": at, "words": words, "sentence": sentence}
        )

    async def cancel(self, request: Request) -> Response:
        await taking.fields(request, self.desk.keys)
        held = self.desk.held(request)
        if not held.ready.is_set():
            await run_in_threadpool(self.shelf.cancel, held)
        return _to(f"/d/{held.id}")

    # --- several ---

    async def documents(self, request: Request) -> Response:
        if "wait" in request.query_params:
            await self._changed(self._waiting())
        versions = comparing_pages.choices(self.shelf)
        return self.desk.page(
            "documents.html.j2",
            here="/documents",
            rows=[_row(held) for held in self.shelf.all()],
            lines=LINES,
            waiting=self._waiting(),
            fair=tr(say.FAIR),
            versions=versions,
            before=versions[0][0] if versions else "",
            after=versions[1][0] if len(versions) > 1 else "",
        )

    async def all_progress(self, request: Request) -> Response:
        known = request.query_params.get("known", "")
        await self._changed(int(known) if known.isascii() and known.isdigit() else -1)
        return JSONResponse({"waiting": self._waiting()})

    def _waiting(self) -> int:
        return sum(not held.ready.is_set() for held in self.shelf.all())

    async def _changed(self, known: int) -> None:
        until = time.monotonic() + WAIT
        while self._waiting() == known and known and time.monotonic() < until:
            unread = next((h for h in self.shelf.all() if not h.ready.is_set()), None)
            if unread is not None:
                await run_in_threadpool(unread.ready.wait, 0.3)

    # --- taking away, keeping, deleting ---

    async def get(self, request: Request) -> Response:
        held, made = self.desk.made(request)
        kind = request.path_params["kind"]
        if kind not in TYPES or (kind == "pdf" and made.report.document.format != "pdf"):
            raise HTTPException(404)
        data = await run_in_threadpool(self._download, held, made, kind)
        suffix = {"pdf": ".highlighted.pdf", "corrections": ".corrections.json"}.get(kind, f".finding.{kind}")
        return Response(
            data, media_type=TYPES[kind], headers={"Content-Disposition": taking.attachment(held.name, suffix)}
        )

    def _download(self, held: Held, made: worker.Made, kind: str) -> bytes:
        if kind == "json":
            return made.report.to_json().encode()
        if kind == "csv":
            from claimscan.showing import tables

            return tables.to_csv([made.report]).encode("utf-8-sig")
        if kind == "corrections":
            return correcting_pages.exported(made.report).encode()
        done = self.shelf.reader.call(worker.highlighted if kind == "pdf" else worker.one_page, made.report, language())
        data = worker.outcome(done, held.name)
        if isinstance(data, ClaimscanError):
            raise data
        return bytes(data)

    async def delete(self, request: Request) -> Response:
        await taking.fields(request, self.desk.keys)
        await run_in_threadpool(self.shelf.delete, self.desk.held(request))
        return _to("/documents")

    async def keep(self, request: Request) -> Response:
        await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        await run_in_threadpool(self.shelf.keep, held, correcting_pages.exported(made.report))
        return _to(f"/d/{held.id}#keep")

    async def history(self, request: Request) -> Response:
        rows = [
            {"id": id, "name": name, "when": time.strftime("%d.%m.%Y, %H:%M", time.localtime(when))}
            for id, name, when in self.shelf.history()
        ]
        said = tr("It is deleted from this computer.") if "deleted" in request.query_params else ""
        return self.desk.page("history.html.j2", here="/history", rows=rows, folder=str(self.shelf.keeping), said=said)

    async def reopen(self, request: Request) -> Response:
        await taking.fields(request, self.desk.keys)
        found = await run_in_threadpool(self.shelf.reopen, request.path_params["kept"])
        if found is None:
            raise HTTPException(404)
        name, data, corrections = found
        held = await run_in_threadpool(self.shelf.add, name, data, request.path_params["kept"], corrections)
        return _to(f"/d/{held.id}")

    async def forget(self, request: Request) -> Response:
        await taking.fields(request, self.desk.keys)
        if not await run_in_threadpool(self.shelf.forget, request.path_params["kept"]):
            raise HTTPException(404)
        return _to("/history?deleted=1")

    async def language(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        self.desk.language.choose(form.get("language"))
        return _to(languages.own(form.get("back")))

    async def stop(self, request: Request) -> Response:
        await taking.fields(request, self.desk.keys)
        answer = self.desk.page("stopped.html.j2")
        self.desk.stop()
        return answer

    # --- what goes wrong ---

    async def failed(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, ClaimscanError)
        if isinstance(error, TooLarge):
            return self._start(str(error), error.remedy, status=413)
        return self.desk.failed(tr("That did not work"), str(error), error.remedy, status=400)

    async def nothing_here(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return self.desk.failed(
                tr("There is nothing here"),
                tr("This page does not exist, or it has been deleted."),
                tr("What you do not keep is deleted when claimscan stops."),
                status=404,
            )
        return self.desk.failed(
            tr("That did not work"), tr("claimscan could not use what was sent."), status=error.status_code
        )

    async def fault(self, request: Request, error: Exception) -> Response:
        if os.environ.get("CLAIMSCAN_TRACEBACK") == "1":
            traceback.print_exception(error)
        return self.desk.failed(
            tr("That did not work"),
            tr("claimscan itself failed ({error}).").format(error=type(error).__name__),
            tr("This is a fault in claimscan, not in what you did. Please report it."),
            status=500,
        )


def _to(address: str) -> Response:
    return RedirectResponse(address, status_code=303)


def _row(held: Held) -> dict[str, Any]:
    """One document in the table of all: for each line its sentences."""
    row: dict[str, Any] = {key: [] for _, key in LINES}
    row |= {"id": held.id, "name": held.name, "ready": held.made is not None}
    if not held.ready.is_set():
        return row | {"about": [tr("It is still being read.")]}
    if held.made is None:
        return row | {"about": [told(str(held.error)) if held.error else tr("You stopped the reading of it.")]}
    finding, report = held.made.finding, held.made.report
    products = finding["products"]
    several = len(products) > 1

    def each(words: Callable[[dict[str, Any]], str]) -> list[str]:
        said = [(p["name"], words(p)) for p in products]
        return [f"{name}: {text}" if several else text for name, text in said if text]

    def flags(kind: str) -> list[str]:
        return [f for p in products for group in p["flags"] if group["code"] == kind for f in group["flags"]]

    return row | {
        "about": [say.about(report), *([finding["population"] + "."] if finding["population"] else [])],
        "claims": [finding["claims"]],
        "shows": each(lambda p: p["brief"]),
        "ceiling": each(lambda p: p["ceiling"]),
        "concern": flags("concern"),
        "ask": flags("ask"),
        "credit": flags("credit"),
    }
