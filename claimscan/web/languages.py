"""The language of the page: chosen with a form, kept until claimscan stops, and set for each request."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from claimscan.showing.translating import LANGUAGES, language, speaking

ENGLISH_ONLY = ("/compare",)  # beginnings of the addresses of pages that are not translated

_here: ContextVar[str] = ContextVar("here", default="/")


@dataclass(slots=True)
class Chosen:
    """The language that the person chose."""

    code: str = "en"

    def choose(self, code: object) -> None:
        """Choose another; nothing happens where it is none of ours."""
        if code in LANGUAGES:
            self.code = str(code)


class Speaking:
    """A layer around the pages: what they say is in the language that was chosen."""

    def __init__(self, app: ASGIApp, chosen: Chosen) -> None:
        self.app = app
        self.chosen = chosen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        before = _here.set(_address(Request(scope)))
        try:
            with speaking("en" if scope["path"].startswith(ENGLISH_ONLY) else self.chosen.code):
                await self.app(scope, receive, send)
        finally:
            _here.reset(before)


def switch() -> dict[str, str]:
    """For the template of every page: the other language, in its own words, and the page to come back to; empty where the
    page is in English only."""
    if _here.get().startswith(ENGLISH_ONLY):
        return {}
    code, words = next((code, words) for code, words in LANGUAGES.items() if code != language())
    return {"code": code, "words": words, "back": _here.get()}


def own(address: object) -> str:
    """The address, where it is one of this server; else that of the first page."""
    plain = isinstance(address, str) and address.isascii() and address.isprintable() and len(address) < 4000
    return str(address) if plain and str(address).startswith("/") and str(address)[1:2] not in ("/", "\\") else "/"


def _address(request: Request) -> str:
    """Where to come back to: this page, or the one that a form was on."""
    path = request.url.path
    if request.method == "POST":
        return "/".join(path.split("/")[:3]) if path.startswith("/d/") else "/"
    return path + (f"?{request.url.query}" if request.url.query else "")
