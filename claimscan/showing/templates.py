"""Web pages in one file from the templates of ``data/templates``: escaping, cleaning and the hashes of their policy.

A page holds its own style (and script, if it has one) and allows nothing else to load or run, by a content security
policy that names them by their SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from claimscan.showing import wording as say
from claimscan.showing.translating import language, tr


@cache
def resource(name: str) -> str:
    """The text of one file of ``data/templates``."""
    return files("claimscan").joinpath("data/templates", name).read_text(encoding="utf-8")


@cache
def template(name: str) -> Template:
    """One template. Every plain string it prints goes through :func:`wording.clean`, whatever step it came from, and is
    then escaped; a name that is not given is an error."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    return environment(resource)


def environment(source: Callable[[str], str]) -> Environment:
    """Templates as all our pages have them, found by name through ``source``.

    They have ``tr``, the message in the language of the moment; ``page_language()``, that language as HTML names it; and
    ``lang(code)``, the attribute for words in a language that is not the page's.
    """
    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        loader=FunctionLoader(source),
        auto_reload=False,
    )
    made.globals |= {"tr": tr, "page_language": _page_language, "lang": lang}
    return made


def _page_language() -> str:
    return {"en": "en-GB"}.get(language(), language())


def lang(code: str) -> Markup:
    """The attribute for words in the language ``code``; empty where it is the page's own."""
    return Markup("") if code == language() else Markup(' lang="{}"').format(code)


def own(text: str) -> Markup:
    """Text of our own files, to be printed as it is: a style or a script. Never for text from a document."""
    return Markup(text)


def policy_hash(text: str) -> Markup:
    """The source expression that allows exactly this style or script (Content Security Policy Level 3, 2.3.1)."""
    return Markup("sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


def _finalize(value: Any) -> Any:
    return say.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
