"""Pages of the local application from the templates of ``data/web`` and ``data/templates``.

Every plain string goes through :func:`claimscan.showing.wording.clean` and is then escaped, as in the page in one file.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from claimscan.showing import templates
from claimscan.showing import wording as say


def page(template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
    """One page, as the answer to a request."""
    return HTMLResponse(_environment().get_template(template).render(**{"here": "", **context}), status_code=status)


@cache
def asset(name: str) -> str:
    """The style or the script: ``page.css`` or ``page.js``.

    Raises:
        KeyError: there is no other.
    """
    if name == "page.css":
        return templates.resource("report.css") + _own("web.css")
    if name == "page.js":
        return _own("page.js")
    raise KeyError(name)


def token(value: str) -> Markup:
    """The field that every form of ours has."""
    return Markup('<input type="hidden" name="token" value="{}">').format(value)


@cache
def _environment() -> Environment:
    environment = templates.environment(_source)
    environment.filters["whole"] = _whole
    return environment


def _source(name: str) -> str:
    try:
        return _own(name)
    except FileNotFoundError:
        return templates.resource(name)


def _own(name: str) -> str:
    return files("claimscan").joinpath("data/web", name).read_text(encoding="utf-8")


def _whole(text: str) -> Markup:
    """Text for a text area: its lines stay lines."""
    return Markup("\n") + escape("\n".join(say.clean(line) for line in text.splitlines()))
