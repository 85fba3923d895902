"""Pages on which a person corrects a finding; ``claimscan.correcting`` does the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from json import dumps
from typing import Any
from urllib.parse import quote as encoded

from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from claimscan import correcting
from claimscan.errors import ClaimscanError, UsageError
from claimscan.records import Correction, Evidence, Mention
from claimscan.report import Report
from claimscan.showing import by_hand
from claimscan.showing import wording as say
from claimscan.showing.templates import lang
from claimscan.showing.translating import message, told, tr
from claimscan.web import taking
from claimscan.web.desk import Desk, called, named, words_of
from claimscan.web.shelf import Held

KINDS = {
    "wrong": message("taken out"),
    "changed": message("changed"),
    "moved": message("moved"),
    "added": message("added"),
    "removed": message("taken out"),
}


def routes(desk: Desk) -> list[Route]:
    """The pages of this module."""
    pages = _Correcting(desk)
    return [
        Route("/d/{id}/correct", pages.asked, methods=["GET"]),
        Route("/d/{id}/correct", pages.correct, methods=["POST"]),
        Route("/d/{id}/add", pages.missing, methods=["GET"]),
        Route("/d/{id}/add", pages.add, methods=["POST"]),
        Route("/d/{id}/undo", pages.undo, methods=["POST"]),
        Route("/d/{id}/corrections", pages.take_in, methods=["POST"]),
    ]


def question(held: Held) -> Callable[[Any], Markup]:
    """For the finding's template: the link after each quote."""

    def link(q: Any) -> Markup:
        where = f"/d/{held.id}/correct?items={encoded(','.join(q.items))}"
        return Markup('<p class="fix"><a href="{}">{}<span class="hidden"{}> “{}”</span></a></p>').format(
            where, tr("Is this wrong?"), lang(q.language), escape(say.short(q.words, 80))
        )

    return link


def changes(report: Report) -> dict[str, Any]:
    """For the finding's template: what was changed, in sentences, and each change to undo."""
    made = correcting.gathered(report).corrections
    return {
        "changes": by_hand.lines(report),
        "undo": [
            {"key": _key(one), "words": f"{tr(KINDS[one.kind])}, “{say.short(one.at.quote, 60)}”"} for one in made
        ],
    }


def exported(report: Report) -> str:
    """What was changed, to be taken in again."""
    return correcting.dump(correcting.gathered(report))


class _Correcting:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def asked(self, request: Request) -> Response:
        return await run_in_threadpool(self._form, request, request.query_params.get("items", ""))

    def _form(self, request: Request, items: str, chosen: str = "", problem: str = "", remedy: str = "") -> Response:
        held, made = self.desk.made(request)
        report = made.report
        known = named(report)
        wanted = [known[i] for i in dict.fromkeys(items[:2000].split(",")) if i in known][:20]
        if not wanted:
            raise UsageError("These words are no longer part of the finding.", "Go back to the finding.")
        longest = max((words_of(item) for item in wanted), key=len)
        return self.desk.page(
            "correct.html.j2",
            400 if problem else 200,
            id=held.id,
            **called(report),
            words=say.short(longest, 500),
            language=say.spoken(report, longest),
            place=say.pages(report, [wanted[0].page]).capitalize(),
            items=[{**_fields(correcting.choices(report, i.id)), "read": _read(i)} for i in wanted],
            chosen=chosen,
            all_items=",".join(i.id for i in wanted),
            problem=told(problem),
            remedy=told(remedy),
        )

    async def correct(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        try:
            chosen = _chosen(made.report, form)
            await run_in_threadpool(self.desk.shelf.change, held, correcting.gathered(made.report, chosen))
        except ClaimscanError as error:
            return await run_in_threadpool(
                self._form, request, taking.field(form, "items"), taking.field(form, "item"), str(error), error.remedy
            )
        return RedirectResponse(f"/d/{held.id}#by-hand", status_code=303)

    async def missing(self, request: Request) -> Response:
        given = {"quote": "", "page": "", "reading": "", "who": "", "product": request.query_params.get("product", "")}
        return self._missing(request, given)

    def _missing(self, request: Request, given: dict[str, str], problem: str = "", remedy: str = "") -> Response:
        held, made = self.desk.made(request)
        return self.desk.page(
            "add.html.j2",
            400 if problem else 200,
            id=held.id,
            **called(made.report),
            c=_fields(correcting.choices(made.report)),
            given=given,
            problem=told(problem),
            remedy=told(remedy),
        )

    async def add(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        given = {name: taking.field(form, name) for name in ("quote", "page", "reading", "who", "product")}
        slot, _, value = given["reading"].partition("|")
        try:
            page = given["page"].strip()
            if page and not (page.isascii() and page.isdigit() and len(page) < 7):
                raise UsageError("The page has to be a number.", "Give the number, or leave it empty.")
            one = correcting.added(
                made.report,
                given["product"],
                slot,
                value,
                given["quote"],
                int(page) if page else None,
                who=given["who"],
                note=taking.field(form, "note", 500),
            )
            await run_in_threadpool(self.desk.shelf.change, held, correcting.gathered(made.report, [one]))
        except ClaimscanError as error:
            return self._missing(request, given, str(error), error.remedy)
        return RedirectResponse(f"/d/{held.id}#by-hand", status_code=303)

    async def undo(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        which = taking.field(form, "which", 100)
        every = correcting.gathered(made.report)
        gone = [one for one in every.corrections if which in ("all", _key(one))]
        await run_in_threadpool(self.desk.shelf.undo, held, gone)
        return RedirectResponse(f"/d/{held.id}?undone=1#by-hand", status_code=303)

    async def take_in(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        upload = form.get("files")
        try:
            if not isinstance(upload, UploadFile) or not upload.filename:
                raise UsageError("You did not choose a file yet.", "Choose the file with the changes.")
            data = await upload.read(correcting.MOST_BYTES + 1)
            if len(data) > correcting.MOST_BYTES:
                raise UsageError("This file is too large to be a file of changes.", "Choose another file.")
            taken = correcting.load(data.decode("utf-8", "replace"))
            await run_in_threadpool(self.desk.shelf.change, held, taken)
        except ClaimscanError as error:
            return self.desk.failed(
                tr("The changes were not taken in"), str(error), error.remedy, status=400, back=f"/d/{held.id}#save"
            )
        finally:
            await form.close()
        return RedirectResponse(f"/d/{held.id}#by-hand", status_code=303)


def _chosen(report: Report, form: FormData) -> list[Correction]:
    """The corrections that the form asks for.

    Raises:
        ClaimscanError: it asks for none that can be made.
    """
    item, note, what = (taking.field(form, name, 500) for name in ("item", "note", "do"))
    if what == "none":
        return [correcting.wrong(report, one) for one in taking.field(form, "items", 2000).split(",")]
    if what == "wrong":
        return [correcting.wrong(report, item, note=note)]
    if what == "move":
        return [correcting.moved(report, item, taking.field(form, "product", 200), note=note)]
    if what == "change" and "type" in form:
        type, scope = taking.field(form, "type", 100), taking.field(form, "scope", 100)
        hedge = taking.field(form, "hedge") == "yes"
        return [correcting.retyped(report, item, type, hedge=hedge, scope=scope, note=note)]
    if what == "change":
        slot, _, value = taking.field(form, "reading", 200).partition("|")
        return [correcting.revalued(report, item, slot, value, taking.field(form, "who", 100), note=note)]
    raise UsageError("The form did not say what to change.", "Choose one of the buttons.")


def _fields(choices: correcting.Choices) -> dict[str, Any]:
    return asdict(choices)


def _read(item: Mention | Evidence) -> str:
    if isinstance(item, Mention):
        return say.kind_of_use(item.type)
    return say.says([item])


def _key(one: Correction) -> str:
    return sha256(dumps(asdict(one), sort_keys=True, default=dict).encode("utf-8", "surrogatepass")).hexdigest()[:16]
