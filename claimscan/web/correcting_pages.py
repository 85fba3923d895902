"""Pages on which a person corrects a finding; ``claimscan.correcting`` does the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from hashlib import sha256
from json import dumps
from types import MappingProxyType
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
from claimscan.web import counts, taking
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
    alike: dict[str, list[str]] = {}
    for one in correcting.gathered(report).corrections:
        alike.setdefault(_undo_words(one), []).append(_key(one))
    return {
        "changes": by_hand.lines(report),
        "undo": [{"key": ",".join(keys), "words": words} for words, keys in alike.items()],
    }


def _undo_words(one: Correction) -> str:
    """What was done, as it is to be undone; what was done to several readings of the same words at once is one line."""
    what = tr(KINDS[one.kind])
    if one.kind in ("changed", "added") and (slot := one.to.get("slot", one.was.get("slot"))):
        what += f" ({say.slot_name(slot) or tr('something else that counts')})"
    elif one.kind == "moved" and one.product:
        what = tr("moved to “{name}”").format(name=say.short(one.product.name, 40))
    return f"{what}, “{say.short(one.at.quote, 60)}”"


def exported(report: Report) -> str:
    """What was changed, to be taken in again."""
    return correcting.dump(correcting.gathered(report))


class _Correcting:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def asked(self, request: Request) -> Response:
        return await run_in_threadpool(self._form, request, request.query_params.get("items", ""))

    def _form(
        self,
        request: Request,
        items: str,
        typed: Mapping[str, Any] = MappingProxyType({}),
        problem: str = "",
        remedy: str = "",
    ) -> Response:
        held, made = self.desk.made(request)
        report = made.report
        known = named(report)
        wanted = [known[i] for i in dict.fromkeys(items[:2000].split(",")) if i in known][:20]
        if not wanted:
            raise UsageError("These words are no longer part of the finding.", "Go back to the finding.")
        longest = max((words_of(item) for item in wanted), key=len)
        chosen = typed.get("item", "")
        rows = []
        for item in wanted:
            row = _fields(correcting.choices(report, item.id))
            row |= {"came": row["now"]["product"], "came_slot": row["now"].get("slot", "")}
            row["now"] = {"count": {}, "thing": "", "note": ""} | row["now"] | (typed if item.id == chosen else {})
            rows.append({**row, "read": _read(item)})
        return self.desk.page(
            "correct.html.j2",
            400 if problem else 200,
            id=held.id,
            **called(report),
            words=say.short(longest, 500),
            language=say.spoken(report, longest),
            place=say.pages(report, [wanted[0].page]).capitalize(),
            items=rows,
            chosen=chosen,
            typed=typed,
            all_moved=bool(typed) and not chosen,
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
            items = taking.field(form, "items")
            return await run_in_threadpool(self._form, request, items, _typed(form), str(error), error.remedy)
        return RedirectResponse(f"/d/{held.id}#by-hand", status_code=303)

    async def missing(self, request: Request) -> Response:
        given: dict[str, Any] = dict.fromkeys(("quote", "page", "reading", "who", "thing"), "")
        known = [p.id for p in say.in_order(self.desk.made(request)[1].report)]
        asked = request.query_params.get("product", "")
        product = asked if asked in known else (known or ["new"])[0]
        return self._missing(request, {**given, "product": product, "came": product, "count": {}})

    def _missing(self, request: Request, given: dict[str, Any], problem: str = "", remedy: str = "") -> Response:
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
        given: dict[str, Any] = {
            name: taking.field(form, name) for name in ("quote", "page", "reading", "who", "product", "thing", "came")
        }
        given["count"] = counts.typed(form)
        slot, _, value = given["reading"].partition("|")
        try:
            if not value:
                raise UsageError("You did not choose what the words say.", "Choose a line under “They say”.")
            page = given["page"].strip()
            if page and not (page.isascii() and page.isdigit() and len(page) < 7):
                raise UsageError("The page has to be a number.", "Give the number, or leave it empty.")
            product, thing = _about(form)
            one = correcting.added(
                made.report,
                product,
                slot,
                value,
                given["quote"],
                int(page) if page else None,
                thing=thing,
                who=given["who"],
                count=counts.count(form, slot, value, {}),
                note=taking.field(form, "note", 500),
            )
            await run_in_threadpool(self.desk.shelf.change, held, correcting.gathered(made.report, [one]))
        except ClaimscanError as error:
            return self._missing(request, given, str(error), error.remedy)
        return RedirectResponse(f"/d/{held.id}#by-hand", status_code=303)

    async def undo(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        which = taking.field(form, "which").split(",")
        every = correcting.gathered(made.report)
        gone = [one for one in every.corrections if {"all", _key(one)} & set(which)]
        await run_in_threadpool(self.desk.shelf.undo, held, gone)
        return RedirectResponse(f"/d/{held.id}?undone=1#by-hand", status_code=303)

    async def take_in(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, made = self.desk.made(request)
        upload = form.get("files")
        try:
            if not isinstance(upload, UploadFile) or not upload.filename:
                raise UsageError("You did not choose a file yet.", "Choose the file with the changes.")
            taken = correcting.loaded(await upload.read(correcting.MOST_BYTES + 1))
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
        product, thing = _about(form)
        every = [item] if item else taking.field(form, "items", 2000).split(",")
        return [correcting.moved(report, one, product, thing=thing, note=note) for one in every]
    if what == "change" and "type" in form:
        type, scope = taking.field(form, "type", 100), taking.field(form, "scope", 100)
        hedge = taking.field(form, "hedge") == "yes"
        return [correcting.retyped(report, item, type, hedge=hedge, scope=scope, note=note)]
    if what == "change":
        slot, _, value = taking.field(form, "reading", 200).partition("|")
        now = named(report).get(item)
        was = now.detail if isinstance(now, Evidence) and now.slot == "count" else {}
        count = counts.count(form, slot, value, was)
        return [correcting.revalued(report, item, slot, value, taking.field(form, "who", 100), count=count, note=note)]
    raise UsageError("The form did not say what to change.", "Choose one of the buttons.")


def _about(form: FormData) -> tuple[str, str]:
    """The thing that was chosen: its id, or the name of a new one.

    Raises:
        UsageError: both were said, or neither.
    """
    product, thing = taking.field(form, "product", 200), taking.field(form, "thing", 120).strip()
    if thing and product in ("new", taking.field(form, "came", 200)):  # the list was left as it came
        return "", thing
    if thing:
        raise UsageError(
            "You chose a thing, and you gave a name too.",
            "Choose “Something that is not in this list”, or empty the name.",
        )
    if product == "new":
        raise UsageError(
            "What the words are about has no name yet.", "Say what it is called, or choose it in the list."
        )
    return product, ""


def _typed(form: FormData) -> dict[str, Any]:
    """What was sent, to be shown again where it cannot be done."""
    given = {name: taking.field(form, name, 500) for name in ("product", "who", "type", "scope")}
    slot, _, value = taking.field(form, "reading", 200).partition("|")
    return {
        **{name: taking.field(form, name, 500) for name in ("item", "note", "thing")},
        **{name: value for name, value in given.items() if name in form},
        **({"slot": slot, "value": value, "count": counts.typed(form)} if "reading" in form else {}),
        **({"hedge": taking.field(form, "hedge") == "yes"} if "type" in form else {}),
    }


def _fields(choices: correcting.Choices) -> dict[str, Any]:
    return asdict(choices)


def _read(item: Mention | Evidence) -> str:
    if isinstance(item, Mention):
        return say.kind_of_use(item.type)
    return say.says([item])


def _key(one: Correction) -> str:
    return sha256(dumps(asdict(one), sort_keys=True, default=dict).encode("utf-8", "surrogatepass")).hexdigest()[:16]
