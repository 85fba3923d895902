"""The words of the finding in the language of the moment: English as written in the code and tables, or Welsh.

Every message is looked up by its English, as gettext does. The catalogues are ``data/languages/*/LC_MESSAGES/claimscan.po``
and are read as they are: what a person corrects is what is shown, there is no compiled file that can be old, and one file
takes a few milliseconds. ``python -m claimscan.training messages`` brings them up to date with the code.

A report is data and stays English. What an earlier step wrote into it as a sentence is translated when it is shown
(:func:`told`), also where it was put together with names and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

LANGUAGES = {"en": "English", "cy": "Cymraeg"}
TOLD = "told"  # the context of what other steps write: sentences, with {placeholders} where they put something in

_language: ContextVar[str] = ContextVar("language", default="en")
_LINE = re.compile(r'(?:(msgctxt|msgid|msgstr)\s+)?(".*")\s*$')
_PLACE = re.compile(r"\{(\w+)\}")


def language() -> str:
    """The code of the language of the moment: ``en`` or ``cy``."""
    return _language.get()


def choose(code: str) -> None:
    """From now on, in this context, speak this language."""
    _language.set(code)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Inside, the words are in this language; afterwards they are as before."""
    before = _language.set(code)
    try:
        yield
    finally:
        _language.reset(before)


def tr(text: str, context: str = "") -> str:
    """The message in the language of the moment; as it is where the catalogue does not have it.

    ``context`` tells two uses of the same English words apart.
    """
    code = _language.get()
    return text if code == "en" else catalogue(code).get((context, text), text)


def message(text: str, context: str = "") -> str:
    """The text itself: it marks a message that is translated where it is shown."""
    return text


def told(text: str) -> str:
    """A sentence that another step wrote, in the language of the moment; as it is where it is not one of theirs."""
    code = _language.get()
    return text if code == "en" else _told(code, text)


def _told(code: str, text: str) -> str:
    words = catalogue(code)
    known = words.get((TOLD, text)) or words.get(("", text))
    if known:
        return known
    for pattern, translation in _patterns(code):
        match = pattern.fullmatch(text)
        if match:
            return translation.format(**{name: _part(words, part) for name, part in match.groupdict().items()})
    return text


def _part(words: Mapping[tuple[str, str], str], part: str) -> str:
    """What stands in a place of a sentence: a phrase of ours, several with "and" between them, or anything else."""
    known = words.get(("", part)) or words.get((TOLD, part))
    if known:
        return known
    for joined in re.finditer(", and ", part):  # a phrase may have an "and" of its own
        first, rest = words.get(("", part[: joined.start()])), part[joined.end() :]
        if first and (other := _part(words, rest)) != rest:
            return first + tr(", and ") + other
    return part


@cache
def catalogue(code: str) -> Mapping[tuple[str, str], str]:
    """The messages of a language by context and English."""
    from importlib.resources import files  # not for --help

    path = files("claimscan").joinpath("data/languages", code, "LC_MESSAGES/claimscan.po")
    return parsed(path.read_text(encoding="utf-8"))


def parsed(text: str) -> dict[tuple[str, str], str]:
    """The messages of a .po file that have a translation nobody has to look at again (that is, not "fuzzy")."""
    import json

    found = {}
    for entry in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in entry.splitlines():
            match = None if line.startswith("#") else _LINE.match(line)
            if match:
                name = match[1] or name
                fields[name] = fields.get(name, "") + json.loads(match[2])
        fuzzy = re.search(r"^#,.*\bfuzzy\b", entry, re.MULTILINE)
        if fields.get("msgid") and fields.get("msgstr") and not fuzzy:
            found[fields.get("msgctxt", ""), fields["msgid"]] = fields["msgstr"]
    return found


@cache
def _patterns(code: str) -> list[tuple[re.Pattern[str], str]]:
    """Sentences of other steps that have places in them, those with most words of their own first."""
    found = [(text, translation) for (context, text), translation in catalogue(code).items() if context == TOLD]
    found = [(text, translation) for text, translation in found if _PLACE.search(text)]
    found.sort(key=lambda pair: -len(_PLACE.sub("", pair[0])))
    return [(_pattern(text), translation) for text, translation in found]


def _pattern(text: str) -> re.Pattern[str]:
    parts = _PLACE.split(text)  # words, name, words, name, ..., words
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(parts)), re.DOTALL
    )
