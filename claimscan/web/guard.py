"""Keeps everyone but the person at this computer out: one layer around the whole application.

What it stops: another website that has its name point at this computer (the Host is checked: DNS rebinding), another
website that posts forms here (Origin, Sec-Fetch-Site, and a token in each form), another person with an account on the
same computer (a key in the address that is printed, kept in a cookie), a page of ours framed or made to run a script (the
content policy), and more bytes than are allowed (counted as they come).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claimscan.errors import ClaimscanError

MOST_BYTES = 100_000_000  # of one form with all its documents
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}
OPEN = "/assets/"  # the style and the script hold nothing of anyone's


class TooLarge(ClaimscanError):
    """More was sent than is taken."""

    remedy = "Choose fewer or smaller documents. The command “claimscan check” reads larger ones."


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets of one run of the server: the key in the address it prints, and the token in its forms."""

    address: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    form: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def fits(self, token: object) -> bool:
        """Whether this is the token of this run's forms."""
        return isinstance(token, str) and hmac.compare_digest(token.encode(), self.form.encode())


class Guard:
    """The layer. ``port`` is the one the server listens at; ``most`` the bytes of one request's body."""

    def __init__(self, app: ASGIApp, keys: Keys, port: int, most: int = MOST_BYTES) -> None:
        self.app = app
        self.keys = keys
        self.most = most
        self.cookie = f"claimscan-{port}"
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self.hosts |= {"127.0.0.1", "localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "server" in headers:
                    del headers["server"]
            await send(message)

        refusal = self.refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        await self.app(scope, _counted(receive, self.most), guarded)

    def refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that is not let in; None where it may go on."""
        headers = Headers(scope=scope)
        if headers.getlist("host") != [headers.get("host", "")] or headers["host"].lower() not in self.hosts:
            return _no("This page can only be opened on the computer where claimscan runs.")
        method, path = scope["method"], scope["path"]
        if method not in ("GET", "HEAD", "POST"):
            return _no("claimscan does not know this kind of request.", 405)
        if not self._own(headers, posting=method == "POST"):
            return _no("This came from another website, so claimscan did nothing.")
        if path.startswith(OPEN) and method != "POST":
            return None
        if path.startswith("/open/") and method == "GET":
            return self._opened(path.removeprefix("/open/"))
        if not _same(cookie_parser(headers.get("cookie", "")).get(self.cookie, ""), self.keys.address):
            return _no("Open this page with the whole address that claimscan printed when it started.")
        if method == "POST":
            length = headers.get("content-length", "0")
            if not length.isascii() or not length.isdigit():
                return _no("claimscan does not know this kind of request.", 400)
        return None

    def _own(self, headers: Mapping[str, str], posting: bool) -> bool:
        """Whether a page of ours asks, or the person herself (an address typed, a bookmark)."""
        origin = headers.get("origin")
        if origin is not None:
            parts = urlsplit(origin)
            # With no-referrer, browsers send "null" as the origin of a form's post; Sec-Fetch-Site then decides.
            if origin == "null":
                return posting and headers.get("sec-fetch-site") == "same-origin"
            if parts.scheme != "http" or parts.netloc.lower() != headers["host"].lower():
                return False
        elif posting:
            return headers.get("sec-fetch-site") == "same-origin"
        site = headers.get("sec-fetch-site", "none" if not posting else "same-origin")
        if posting:
            return site == "same-origin"
        # A link elsewhere may bring a person to the first page; nothing else may be asked for from elsewhere.
        return site in ("same-origin", "none") or headers.get("sec-fetch-mode") == "navigate"

    def _opened(self, key: str) -> Response:
        if not _same(key, self.keys.address):
            return _no("Open this page with the whole address that claimscan printed when it started.")
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self.cookie, self.keys.address, path="/", httponly=True, samesite="strict")
        return answer


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _no(sentence: str, status: int = 403) -> Response:
    return PlainTextResponse(sentence + "\n", status_code=status)


def _counted(receive: Receive, most: int) -> Receive:
    """The same, but it stops at ``most`` bytes, whatever length was announced."""
    got = 0

    async def counted() -> Message:
        nonlocal got
        message = await receive()
        if message["type"] == "http.request":
            got += len(message.get("body", b""))
            if got > most:
                raise TooLarge(f"That is more than {most // 1_000_000:,} MB at once.")
        return message

    return counted
