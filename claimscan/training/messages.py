"""Every message of the finding, found where it is written, and the catalogues of translations brought up to date with them.

A message is: what ``tr`` and ``message`` are called with, in modules and templates; the words that ``number`` counts; the words
of the tables; and the sentences that steps below the showing write, f-strings with their places named (they may not know
of languages, so they are found by their form). Nothing has to be listed by hand, so nothing can be forgotten.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from claimscan.showing.translating import LANGUAGES, TOLD, parsed

PACKAGE = Path(__file__).parent.parent
LAYOUT = "data/languages/{code}/LC_MESSAGES/claimscan.po"
TEMPLATES = ("data/templates/finding.html.j2", "data/templates/report.html.j2", "data/web/*.j2")
# Modules whose numbers of things are part of a finding, and those whose sentences reach a person beside one.
COUNTING = ("showing/wording.py", "showing/terminal.py", "showing/finding.py", "showing/highlights.py")
TELLING = (
    "errors.py",
    "files.py",
    "grading/finding.py",
    "grading/rules.py",
    "grading/raising.py",
    "reading/*.py",
    "correcting/*.py",
    "showing/highlights.py",
    "showing/letters.py",
    "showing/letter_link.py",
    "web/correcting_pages.py",
    "web/counts.py",
    "web/guard.py",
    "web/letter_pages.py",
    "web/shelf.py",
    "web/taking.py",
    "web/worker.py",
)
# Why a page was not read is no sentence; neither is what a file is instead of a document.
NOT_TOLD = ("tr", "message", "print", "check_text")
PHRASES = ("_PICTURE", "_NO_MAPPING", "late", "reason", "_NAMES", "_OTHER")


HEADER = """\
# The words of claimscan, by their English. To correct a translation, change the line "msgstr" and nothing else: what
# is here is what is shown. {{Words in curly brackets}} stay as they are; they are filled in. After the code has
# changed: python -m claimscan.training messages
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


class Message(NamedTuple):
    """A message, what tells it from others with the same words, and the file it is in."""

    context: str
    text: str
    place: str


def messages() -> list[Message]:
    """Every message once for each file it is in, in the order of the files."""
    found = [
        *(m for path in sorted(PACKAGE.rglob("*.py")) if path.parent.name != "training" for m in _of_module(path)),
        *(m for pattern in TEMPLATES for path in sorted(PACKAGE.glob(pattern)) for m in _of_template(path)),
        *_of_tables(),
    ]
    return list(dict.fromkeys(found))


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


# --- modules --------------------------------------------------------------------------------------------------------


def _of_module(path: Path) -> Iterator[Message]:
    tree, place, name = ast.parse(path.read_text(encoding="utf-8")), _place(path), path.relative_to(PACKAGE)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called in ("tr", "message") and isinstance(node.args[0], ast.Constant) and given:
                yield Message("".join(given[1:]), given[0], place)
            elif called == "number" and given and any(name.match(pattern) for pattern in COUNTING):
                yield from (
                    Message("counted", words, place) for words in (given[0], (given[1:] or [given[0] + "s"])[0])
                )
    if any(name.match(pattern) for pattern in TELLING):
        yield from (Message(TOLD, text, place) for text in _told(tree))


def _told(tree: ast.Module) -> Iterator[str]:
    """The sentences and named phrases of a module, but not its docstrings and not what is a message already."""
    passed: set[int] = set()
    phrases: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            passed |= {id(n) for n in ast.walk(node.body[0])} if isinstance(node.body[0], ast.Expr) else set()
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in NOT_TOLD:
            passed |= {id(n) for a in node.args for n in ast.walk(a)}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(t, ast.Name) and t.id in PHRASES for t in targets):
                phrases += ast.walk(node.value)
        elif isinstance(node, ast.JoinedStr):
            passed |= {id(n) for v in node.values for n in ast.walk(v)}
    yield from (text for node in phrases if id(node) not in passed and (text := _text(node)) and " " in text)
    passed |= {id(node) for node in phrases}
    for node in ast.walk(tree):
        text = None if id(node) in passed else _text(node)
        if text and text[-1] in ".?" and (text[0].isupper() or text[0] in "{“") and len(_words(text)) > 1:
            yield text


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word.isalpha()]


def _text(node: ast.AST) -> str | None:
    """A string as it stands, or an f-string with a named place for each thing that is put in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    out, names = "", []
    for part in node.values:
        if isinstance(part, ast.Constant):
            out += str(part.value)
            continue
        value = part.value if isinstance(part, ast.FormattedValue) else part
        name = getattr(value, "id", getattr(value, "attr", "what"))
        names.append(name)
        again = names.count(name)
        out += "{" + name + (str(again) if again > 1 else "") + "}"
    return out


# --- templates and tables -------------------------------------------------------------------------------------------


def _of_template(path: Path) -> Iterator[Message]:
    for call in Environment().parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "tr":
            given = [a.value for a in call.args if isinstance(a, nodes.Const)]
            yield from (Message("".join(given[1:]), text, _place(path)) for text in given[:1])


def _of_tables() -> Iterator[Message]:
    def rows(name: str, keys: Iterable[str], *tables: str) -> Iterator[Message]:
        raw = _toml(name)
        for table in tables:
            for row in raw[table]:
                yield from (Message("", row[key], f"claimscan/data/{name}") for key in keys if row.get(key))

    levels, asks, words = "codebook/levels.toml", "codebook/questions.toml", "templates/wording.toml"
    yield from rows(levels, ("label", "plain", "supports", "text"), "level", "status")
    for part in ("cap", "fact"):
        for row in _toml(levels)[part]:
            texts = [row["text"]] if "text" in row else row["texts"].values()
            yield from (Message(TOLD, text, f"claimscan/data/{levels}") for text in texts)
    yield from rows("codebook/flags.toml", ("plain", "plain_some"), "flag")
    yield from rows(asks, ("needs", "ask"), "question")
    for row in _toml(asks)["question"]:
        for place in ("the statement on page {page}", "the statement") if "{page}" in row["record"] else ("",):
            yield Message(TOLD, row["record"].replace("{page}", place), f"claimscan/data/{asks}")
    yield from _strings(_toml(asks)["needs"], asks)
    yield from _strings(_toml("codebook/crosswalk.toml"), "codebook/crosswalk.toml")
    yield from rows("lexicons/population.toml", ("label",), "topic")
    table = _toml(words)
    for name in ("slots", "people", "flags", "meanings", "three"):
        yield from _strings(table[name], words, lambda key: key not in ("unless", "slots"))
    yield from (Message("", term, f"claimscan/data/{words}") for term in table["meanings"])
    for name, values in table["values"].items():
        yield from (m._replace(context="unit" if name == "unit" else "") for m in _strings(values, words))
    for one, many in table["mentions"].values():
        yield Message("", one, f"claimscan/data/{words}")
        yield from (Message("counted", text, f"claimscan/data/{words}") for text in (one, many))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((PACKAGE / "data" / name).read_text(encoding="utf-8"))


def _strings(value: Any, name: str, wanted: Callable[[str], bool] = bool) -> Iterator[Message]:
    if isinstance(value, str):
        if value:
            yield Message("", value, f"claimscan/data/{name}")
    else:
        inner = [v for key, v in value.items() if wanted(key)] if isinstance(value, dict) else value
        yield from (m for v in inner for m in _strings(v, name, wanted))


# --- catalogues -----------------------------------------------------------------------------------------------------


def update(code: str) -> int:
    """Bring the catalogue of a language up to date: new messages are empty, those that are gone go. Returns how many of
    them have no translation."""
    path = PACKAGE / LAYOUT.format(code=code)
    with path.open("rb") as file:
        known = read_po(file, locale=code)
    made = Catalog(locale=code)
    for context, text, place in messages():
        old = known.get(text, context or None)
        made.add(
            text,
            old.string if old else "",
            [(place, 0)],
            flags=(old.flags if old else set()) - {"python-format", "python-brace-format"},
            user_comments=old.user_comments if old else (),
            context=context or None,
        )
    with path.open("wb") as file:
        file.write(HEADER.format(code=code).encode())
        write_po(file, made, width=120, omit_header=True, include_lineno=False)
    translated = parsed(path.read_text(encoding="utf-8"))
    return len({(m.context, m.text) for m in messages()} - set(translated))


def update_all() -> dict[str, int]:
    """:func:`update` of every language but English; how many messages of each have no translation."""
    return {code: update(code) for code in LANGUAGES if code != "en"}
