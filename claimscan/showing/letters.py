"""Letters that ask for what a document leaves open: a reply to a consultation, or an FOI request (codebook 5).

What is asked is what the finding leaves open and nothing else, six things at most, most telling first. The words are in
``data/templates/letters.<language>.toml``. Words of the document are quoted on one line, without addresses.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

from claimscan.errors import UsageError
from claimscan.records import Mention, Product, Question
from claimscan.report import Report
from claimscan.showing import letter_link
from claimscan.showing import wording as say

KINDS = ("reply", "foi")
NATIONS = ("england", "wales", "scotland", "northern-ireland")
LANGUAGES = ("en", "cy")
MOST = 6  # things asked in one letter: more could pass the cost limit (codebook 5.2)
QUOTE, NAME = 300, 100  # characters of a quote, and of a name

_ITEM = re.compile(r"\d{1,3}[.)]\s+(?=\S)")
_NESTED = str.maketrans('“”„‟"«»', "‘’‘’'‘’")
_LINES = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")

link = letter_link.link


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a letter. ``kind`` is greeting, heading, paragraph, quote, item (numbered) or closing (one line)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to read, change and send. ``title`` is its subject; ``notes`` are for the sender and no part of it."""

    title: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    kind: str = "foi"
    language: str = "en"
    easy: bool = False

    @property
    def items(self) -> tuple[str, ...]:
        """What it asks, in order."""
        return tuple(part.text for part in self.parts if part.kind == "item")

    def text(self) -> str:
        """The letter as plain text, from greeting to signature, without its title. A paragraph is one line."""
        return _text(self.parts)

    def middle(self) -> str:
        """The text without greeting and closing, for a form that adds its own."""
        return _text(tuple(part for part in self.parts if part.kind not in ("greeting", "closing"))).rstrip("\n")


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that the document leaves open: its number (1 is the most telling), product id, gap, and the question."""

    number: int
    product: str
    gap: str
    text: str


@cache
def words(language: str = "en") -> Mapping[str, Any]:
    """The words of the letters in one language, as read."""
    if language not in LANGUAGES:
        raise UsageError(f"There are no letters in “{say.clean(language)}”.", "There are: en (English), cy (Welsh).")
    name = f"data/templates/letters.{language}.toml"
    return tomllib.loads(files("claimscan").joinpath(name).read_text(encoding="utf-8"))


def left_open(
    report: Report, products: Sequence[str] = (), *, kind: str = "reply", language: str = "en", easy: bool = False
) -> tuple[Open, ...]:
    """All that could be asked, most telling first; the products take turns. Empty where there is nothing to ask."""
    said = words(language)["easy" if easy else "plain"]["record" if kind == "foi" else "ask"]
    found = []
    for product in _chosen(report, products):
        place = _place(say.claim_words(report, product)[1], report, language)
        for rank, question in enumerate(report.findings[product.id].questions):
            found.append((rank, product.id, question.gap, _question(question, kind, said).replace("{place}", place)))
    turns = sorted(found, key=lambda row: row[0])  # stable: the products keep their order
    return tuple(Open(n, product, gap, text) for n, (_, product, gap, text) in enumerate(turns, 1))


def silent(report: Report, products: Sequence[str] = (), *, language: str = "en") -> str:
    """Why there is nothing to ask, as a sentence; empty where there is something.

    Raises:
        UsageError: there is no product of that id.
    """
    if left_open(report, products, language=language):
        return ""
    said = words(language)["silent"]
    chosen = _chosen(report, products) or [p for p in say.in_order(report) if say.claims_of(report, p)]
    if not chosen:
        return str(said["no_claim"])
    return str(said["nothing"]).format(product=_quotable(chosen[0].name, NAME, language))


def letter(
    report: Report,
    *,
    kind: str = "reply",
    nation: str = "england",
    products: Sequence[str] = (),
    language: str = "en",
    easy: bool = False,
    pick: Sequence[int] = (),
) -> Letter:
    """The letter for one document.

    Args:
        kind: ``reply`` (questions) or ``foi`` (a request for recorded information).
        nation: whose law the request names.
        products: ids of products; none is the document itself, or the first thing it claims that leaves something open.
        easy: short sentences, one idea each, with hard words explained.
        pick: numbers of :func:`left_open`, six at most; none is the first six.

    Raises:
        UsageError: a choice that there is not, or nothing to ask (:func:`silent` says why).
    """
    _check(kind, nation)
    said = words(language)
    open_ = left_open(report, products, kind=kind, language=language, easy=easy)
    if not open_:
        raise UsageError(silent(report, products, language=language))
    asked = _picked(open_, pick)
    order = [product.id for product in _chosen(report, products)]
    groups = [
        (next(p for p in report.products if p.id == id), [o.text for o in group])
        for id, group in groupby(sorted(asked, key=lambda o: order.index(o.product)), key=lambda o: o.product)
    ]
    form, first = said["easy" if easy else "plain"][kind], groups[0][0]
    title = _title(report)
    trigger = say.claim_words(report, first)[1]
    claimed = isinstance(trigger, Mention) and trigger.type in say.CLAIM_TYPES
    values = {
        "document": _quotable(title, NAME, language) if title else said["unnamed"],
        "words": _quotable(trigger.text, NAME, language) if isinstance(trigger, Mention) else "",
        "act": said["acts"].get(nation, said["acts"]["uk"]),
    }
    values["show"] = said["show"]["words" if claimed else "none"].format_map(values)
    values["meaning"] = said["easy"]["meaning"]["words" if claimed else "none"].format_map(values)
    parts = [Part("greeting", said["greeting"])]
    for line in form["before"]:
        if line == "{claim}":
            parts += _claim_parts(report, first, language)
        elif text := line.format_map(values):
            parts.append(Part("paragraph", text))
    parts.append(Part("heading", form["heading"]))
    parts += [Part("paragraph", line) for line in form["lead"]]
    for product, questions in groups:
        if product is not first:
            parts += _claim_parts(report, product, language)
        parts += [Part("item", text) for text in questions]
    parts += [Part("paragraph", line) for line in form["after"]]
    parts += [Part("closing", line) for line in (said["closing"], *said["signature"])]
    subject = form["title"].format_map(values)
    if not letter_link.fits(subject):
        subject = form["title_short"]
    rest = [o for o in open_ if o not in asked]
    return Letter(subject, tuple(parts), _notes(report, kind, nation, said, rest, bool(pick)), kind, language, easy)


def from_text(title: str, text: str, *, kind: str = "foi", language: str = "en", easy: bool = False) -> Letter:
    """A letter again from its text, which a person may have changed, for :func:`docx` and :func:`link`.

    An empty line ends a part. A line that starts with a number and a full stop is an item; a short line without a full
    stop is a heading. What opens and closes a letter is known by its words (``greets`` and ``closes``).
    """
    said = words(language)
    parts: list[Part] = []
    closing = False
    for block in _blocks(text):
        closing = closing or block[0].startswith(tuple(said["closes"]))
        if closing:
            parts += [Part("closing", line) for line in block]
            continue
        for n, line in enumerate(block):
            item = _ITEM.match(line)
            if n and not item:
                parts[-1] = Part(parts[-1].kind, f"{parts[-1].text} {line}")
            else:
                parts.append(Part("item", line[item.end() :]) if item else Part("paragraph", line))
    typed = [_typed(part, first=n == 0, said=said) for n, part in enumerate(parts)]
    return Letter(say.clean(title), tuple(typed), (), kind, language, easy)


def docx(letter: Letter) -> bytes:
    """The letter as a Word document that can be edited."""
    from claimscan.showing import letter_docx

    return letter_docx.docx(letter)


def warning(language: str = "en") -> tuple[str, ...]:
    """What a person must know before the link: the website shows her name and her request to everyone."""
    return tuple(words(language)["link"]["warning"])


# --- what is asked --------------------------------------------------------------------------------------------------


def _check(kind: str, nation: str) -> None:
    for value, known, name in ((kind, KINDS, "kind of letter"), (nation, NATIONS, "nation")):
        if value not in known:
            raise UsageError(f"There is no {name} “{say.clean(value)}”.", f"There are: {', '.join(known)}.")


def _chosen(report: Report, ids: Sequence[str]) -> list[Product]:
    if not ids:
        claimed = (p for p in say.in_order(report) if say.claims_of(report, p))
        return [p for p in claimed if report.findings[p.id].questions][:1]
    known = {p.id: p for p in report.products}
    for id in ids:
        if id not in known:
            has = f"It has: {', '.join(known)}." if known else "It has none."
            raise UsageError(f"There is no product {say.clean(id)} in this document.", has)
    return [known[id] for id in dict.fromkeys(ids)]


def _question(question: Question, kind: str, said: Mapping[str, str]) -> str:
    """The letter's own words for the gap; for a gap that a researcher added, the codebook table's."""
    return str(said.get(question.gap) or (question.record if kind == "foi" else question.ask))


def _picked(open_: Sequence[Open], pick: Sequence[int]) -> list[Open]:
    if not pick:
        return list(open_[:MOST])
    numbers = sorted(set(pick))
    if len(numbers) > MOST:
        raise UsageError(f"A letter asks {MOST} things at most.", "Pick fewer: a short request is answered sooner.")
    if numbers[0] < 1 or numbers[-1] > len(open_):
        raise UsageError("There is no question of that number.", f"Pick from 1 to {len(open_)}.")
    return [o for o in open_ if o.number in numbers]


# --- words of the document ------------------------------------------------------------------------------------------


def _quotable(text: str, length: int, language: str) -> str:
    """Words of a document on one line, without addresses, and with no quotation mark that would end the quote."""
    said = words(language)
    bare = letter_link.without_addresses(say.clean(text[:5_000]), said["address"], said["postcode"])
    return say.short(bare.translate(_NESTED), length)


def _title(report: Report) -> str:
    """The document's title, or its file name; never the folder it lies in, which is nobody's business."""
    source = say.clean(report.document.source)
    name = re.split(r"[/\\]", source)[-1]
    return say.clean(report.document.title) or (name if "." in name else "")


def _place(record: Any, report: Report, language: str) -> str:
    said = words(language)["places"]
    paged = record is not None and len(report.document.pages) > 1
    return str(said["page" if paged else "plain"]).format(page=record.page if paged else "")


def _claim_parts(report: Report, product: Product, language: str) -> list[Part]:
    text, record = say.claim_words(report, product)
    if record is None or not text:
        return []
    kind = "page" if len(report.document.pages) > 1 else "plain"
    form = words(language)["claim"][kind if product.is_document else f"{kind}_about"]
    lead = form.format(page=record.page, product=_quotable(product.name, NAME, language))
    return [Part("paragraph", lead), Part("quote", f"“{_quotable(text, QUOTE, language)}”")]


def _notes(
    report: Report, kind: str, nation: str, said: Mapping[str, Any], rest: Sequence[Open], picked: bool
) -> tuple[str, ...]:
    notes = said["notes"]
    law = "scotland" if nation == "scotland" else "uk"
    lines = [*notes["start"]]
    if any(page.unread for page in report.document.pages):
        lines.append(notes["unread"])
    lines += notes["reply"] if kind == "reply" else [*notes["foi"][law], *notes["foi"]["all"], *notes["next"][law]]
    if rest:
        lines.append(notes["more_few" if picked else "more"])
        lines += [f"{o.number}. {o.text}" for o in rest]
    return tuple(lines)


# --- text -----------------------------------------------------------------------------------------------------------


def _text(parts: Sequence[Part]) -> str:
    blocks: list[str] = []
    number, before = 0, ""
    for part in parts:
        number += part.kind == "item"
        line = f"{number}. {part.text}" if part.kind == "item" else part.text
        if blocks and part.kind == before and part.kind in ("item", "closing"):
            blocks[-1] += f"\n{line}"
        else:
            blocks.append(line)
        before = part.kind
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _blocks(text: str) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in map(say.clean, _LINES.split(text)):
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _typed(part: Part, *, first: bool, said: Mapping[str, Any]) -> Part:
    if part.kind != "paragraph":
        return part
    if first and part.text.startswith(tuple(said["greets"])):
        return Part("greeting", part.text)
    if part.text[0] == "“" and part.text[-1] == "”" and len(part.text) > 2:
        return Part("quote", part.text)
    if len(part.text) <= 60 and part.text[-1] not in '.,:;?!…”’")]':
        return Part("heading", part.text)
    return part
