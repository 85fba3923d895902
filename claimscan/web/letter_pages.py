"""Pages on which a person gets a letter ready: choose, read, change, and take it away. Nothing is sent from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote as encoded

from markupsafe import Markup, escape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from claimscan.errors import ClaimscanError, UsageError
from claimscan.showing import letters
from claimscan.showing import wording as say
from claimscan.showing.templates import lang
from claimscan.showing.translating import language as page_language
from claimscan.showing.translating import message, told, tr
from claimscan.web import taking
from claimscan.web.desk import Desk, called
from claimscan.web.shelf import Held

MOST_TEXT = 50_000
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
KINDS = (
    ("reply", message("A letter with my questions, such as a reply to a consultation")),
    ("foi", message("A freedom of information (FOI) request: it asks for what they have on record")),
)
NATIONS = (
    ("england", message("England")),
    ("wales", message("Wales")),
    ("scotland", message("Scotland")),
    ("northern-ireland", message("Northern Ireland")),
)
LANGUAGES = (("en", message("English")), ("cy", message("Cymraeg (Welsh)")))


def routes(desk: Desk) -> list[Route]:
    """The pages of this module."""
    pages = _Letters(desk)
    return [
        Route("/d/{id}/letter", pages.choose, methods=["GET"]),
        Route("/d/{id}/letter", pages.take, methods=["POST"]),
    ]


def link(held: Held) -> Callable[[Any], Markup]:
    """For the finding's template: the way to the letter, at the end of a product that leaves something open."""

    def after(product: Any) -> Markup:
        if not product["questions"]:
            return Markup("")
        where = f"/d/{held.id}/letter?product={encoded(product['id'])}"
        return Markup('<p><a class="button" href="{}">{}<span class="hidden"{}>: {}</span></a></p>').format(
            where, tr("Write a letter about this"), lang(product["language"]), escape(say.clean(product["name"]))
        )

    return after


class _Letters:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def choose(self, request: Request) -> Response:
        return await run_in_threadpool(self._choose, request)

    def _choose(self, request: Request) -> Response:
        held, made = self.desk.made(request)
        report, asked = made.report, request.query_params
        options = {
            "kind": _one(asked.get("kind"), KINDS),
            "nation": _one(asked.get("nation"), NATIONS),
            "language": _one(asked.get("language", page_language()), LANGUAGES),
        }
        easy, product = "easy" in asked, asked.get("product", "")[:100]
        products = [product] if any(p.id == product for p in report.products) else []
        context: dict[str, Any] = {
            "id": held.id,
            **called(report),
            "kinds": KINDS,
            "nations": NATIONS,
            "languages": LANGUAGES,
            "products": [(p.id, say.name(p, 120)) for p in say.in_order(report)],
            "chosen": {**options, "easy": easy, "product": products[0] if products else ""},
            "why": letters.silent(report, products, language=page_language()),
            "letter": None,
            "questions": [],
            "problem": "",
            "remedy": "",
        }
        if "write" in asked and not context["why"]:
            pick = [int(n) for n in asked.getlist("pick")[:100] if n.isascii() and n.isdigit() and len(n) < 5]
            own = {"kind": options["kind"], "language": options["language"], "easy": easy}
            try:
                if "picked" in asked and not pick:
                    raise UsageError("You did not choose a question.", "Choose at least one.")
                made_letter = letters.letter(
                    report, nation=options["nation"], products=products, pick=pick, **own  # type: ignore[arg-type]
                )
            except ClaimscanError as error:
                context |= {"problem": told(str(error)), "remedy": told(error.remedy)}
                made_letter = letters.letter(
                    report, nation=options["nation"], products=products, **own  # type: ignore[arg-type]
                )
            wanted = pick or list(range(1, letters.MOST + 1))
            context["questions"] = [
                {"number": o.number, "text": o.text, "chosen": o.number in wanted}
                for o in letters.left_open(report, products, **own)  # type: ignore[arg-type]
            ]
            context["letter"] = {
                "title": made_letter.title,
                "text": made_letter.text(),
                "notes": [note for note in made_letter.notes if not note[:1].isdigit()],
            }
        return self.desk.page("letter.html.j2", 400 if context["problem"] else 200, **context)

    async def take(self, request: Request) -> Response:
        form = await taking.fields(request, self.desk.keys)
        held, _ = self.desk.made(request)
        kind, language = _one(form.get("kind"), KINDS), _one(form.get("language"), LANGUAGES)
        title, text = taking.field(form, "title", 1000), taking.field(form, "text", MOST_TEXT)
        letter = letters.from_text(title, text, kind=kind, language=language, easy=form.get("easy") == "yes")
        what = form.get("do")
        if what == "text":
            said = letters.words(language)
            whole = f"{said['subject']} {letter.title}\r\n\r\n" + "\r\n".join(text.splitlines()) + "\r\n"
            return _file(held, whole.encode("utf-8-sig"), "text/plain; charset=utf-8", ".letter.txt")
        if what == "docx":
            data = await run_in_threadpool(letters.docx, letter)
            return _file(held, data, DOCX, ".letter.docx")
        body = taking.field(form, "body", 300).strip().lower()
        problem, remedy, address = "", "", ""
        try:
            address = letters.link(letter, body)
        except ClaimscanError as error:
            problem, remedy = told(str(error)), told(error.remedy)
        return self.desk.page(
            "link.html.j2",
            400 if problem else 200,
            id=held.id,
            title=title,
            text=text,
            kind=kind,
            language=language,
            easy="yes" if letter.easy else "",
            body=body,
            address=address,
            warning=list(letters.warning(language)),
            problem=problem,
            remedy=remedy,
        )


def _one(value: object, known: tuple[tuple[str, str], ...]) -> str:
    return next((code for code, _ in known if code == value), known[0][0])


def _file(held: Held, data: bytes, kind: str, suffix: str) -> Response:
    return Response(data, media_type=kind, headers={"Content-Disposition": taking.attachment(held.name, suffix)})
