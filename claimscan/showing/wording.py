"""Plain words for the codes of a report, and text from documents made safe to show.

The words are in ``data/templates/wording.toml``; those of levels and statuses in the codebook tables. Every sentence
keeps to codebook section 0: it says what the document shows, never what happened, and "not stated" is never a "no".
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from claimscan import codebook
from claimscan.reading.tongue import ours
from claimscan.records import Evidence, Finding, Mention, Product
from claimscan.showing.translating import language, message, told, tr

if TYPE_CHECKING:
    from claimscan.report import Report

FAIR = message("We grade what the document shows, not what happened. “Not stated” is never a “no”.")
_NAMES_OF_OURS = (message("this document", "name"), message("something the document does not name", "name"))
CLAIM_TYPES = codebook.CLAIM_TYPES
LEVELS = codebook.LEVELS

# Controls could move the cursor or recolour a terminal; direction marks could make text read other than it is.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACE = re.compile(r"\s+")
UNSTATED = ("not_stated", "none_stated", "", None)


def clean(text: str) -> str:
    """Text from a document on one line, without control or direction characters."""
    return _SPACE.sub(" ", _UNSAFE.sub("", _SPACE.sub(" ", text))).strip()


def short(text: str, length: int = 180) -> str:
    """:func:`clean` text, cut after a whole word where it is longer than ``length`` characters, with an ellipsis."""
    text = clean(text)
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    return cut[: cut.rfind(" ") if " " in cut[length // 2 :] else len(cut)].rstrip(" ,;:–-") + "…"


@cache
def tables() -> Mapping[str, Any]:
    """The wording tables, as read."""
    text = files("claimscan").joinpath("data/templates/wording.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def word(code: str, *path: str) -> str:
    """The plain words of a code in one table, or the code's own words."""
    table: Any = tables()
    for key in path:
        table = table.get(key, {})
    return tr(str(table.get(code, code.replace("_", " ").replace("-", " "))), "unit" if path[-1:] == ("unit",) else "")


def ladder() -> Sequence[codebook.Level]:
    """The six levels, lowest first."""
    return codebook.tables().levels


def level_name(grade: str) -> str:
    """``level 3 (Consulted)``, or a status in its own words."""
    for level in ladder():
        if level.id == grade:
            return tr("level {n} ({label})").format(n=grade, label=tr(level.label))
    status = codebook.tables().statuses.get(grade)
    return f"“{tr(status.plain)}”" if status else grade


def pages(report: Report, numbers: Iterable[int | None]) -> str:
    """``page 4`` or ``pages 4, 7 and 12``; empty where the document has one page only."""
    found = sorted({n for n in numbers if n})
    if not found or len(report.document.pages) < 2:
        return ""
    if len(found) == 1:
        return tr("page {n}").format(n=found[0])
    return tr("pages {some} and {last}").format(some=", ".join(map(str, found[:-1])), last=found[-1])


def page_ranges(numbers: Iterable[int]) -> str:
    """``page 7`` or ``pages 7, 9 to 11``."""
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    span = tr("{a} to {b}")
    parts = [str(a) if a == b else (span if b > a + 1 else "{a}, {b}").format(a=a, b=b) for a, b in runs]
    alone = len(runs) == 1 and runs[0][0] == runs[0][1]
    return tr("page {n}").format(n=parts[0]) if alone else tr("pages {list}").format(list=", ".join(parts))


def number(n: int, one: str, many: str = "") -> str:
    """``1 claim``, ``3 claims``. In Welsh the words after the number are "o" and the plural, which suits every number."""
    return f"{n:,} {tr(one if n == 1 else many or one + 's', 'counted')}"


def sentence(text: str) -> str:
    """The text with a capital letter and a full stop."""
    text = clean(text)
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?…”" else ".")


# --- the finding ----------------------------------------------------------------------------------------------------


def title(report: Report) -> str:
    return clean(report.document.title) or clean(report.document.source) or tr("this document", "name")


def name(product: Product, length: int) -> str:
    """What the document calls the thing, or our own words where it does not name it."""
    return short(tr(product.name, "name") if product.name in _NAMES_OF_OURS else product.name, length)


def spoken(report: Report, text: str) -> str:
    """The language that words of the document are in: ``en`` or ``cy``. A few words are in that of the whole document."""
    return language() if text in _NAMES_OF_OURS else ours(text, least=2) or _whole(report.document.text) or "en"


_whole = lru_cache(maxsize=4)(ours)


def shows(finding: Finding) -> str:
    """What the document shows, as one sentence with the grade."""
    if finding.grade in LEVELS:
        said = {
            "part": tr("For a part of it, the document shows: {plain} ({label}, level {n} of 6)."),
            "presentation": tr("For how it looks or reads, the document shows: {plain} ({label}, level {n} of 6)."),
        }.get(str(finding.slots.get("scope", "")), tr("The document shows: {plain} ({label}, level {n} of 6)."))
        plain = tr(clean(finding.plain)).rstrip(".")
        return said.format(plain=plain, label=tr(clean(finding.label)), n=finding.grade)
    status = codebook.tables().statuses.get(finding.grade)
    return f"{sentence(tr(finding.plain or finding.label))} {tr(status.text) if status else ''}".strip()


def brief(finding: Finding) -> str:
    """The grade in a few words, for a list."""
    if finding.grade in LEVELS:
        return tr("level {n} of 6 ({label})").format(n=finding.grade, label=tr(clean(finding.label)))
    plain = tr(clean(finding.plain or finding.label))
    return plain[:1].lower() + plain[1:]


def ceiling(finding: Finding) -> str:
    """What the document leaves open above the grade; empty where there is nothing above it."""
    if finding.ceiling not in LEVELS or finding.grade == "6":
        return ""
    if finding.grade not in LEVELS or int(finding.ceiling) > int(finding.grade):
        return tr("Nothing in it rules out {level}.").format(level=level_name(finding.ceiling))
    return tr("What it states rules out a higher level.")


def asides(finding: Finding) -> list[str]:
    """Whatever else belongs to the grade: a second reading, and the part of people who speak for others."""
    notes = []
    if finding.borderline:
        second = finding.second_reading
        notes.append(
            tr("This is a close call: it could also be read as {level}.").format(level=level_name(second))
            if second
            else tr("This is a close call between two neighbouring levels; the lower one is shown.")
        )
    if finding.proxy_grade:
        said = tr("People who speak for them had a part of their own: measured the same way, it would be {level}.")
        notes.append(said.format(level=level_name(finding.proxy_grade)))
    return notes


def claims_of(report: Report, product: Product) -> list[Mention]:
    """The mentions that claim the product was co-produced; what others say of it and what is denied is no claim."""
    return [m for m in report.mentions if m.id in product.mentions and m.type in CLAIM_TYPES]


def claim_words(report: Report, product: Product) -> tuple[str, Mention | Evidence | None]:
    """The claim in the document's own words, or the first words that describe it, and the record they come from."""
    claims = claims_of(report, product)
    if claims:
        # A heading or a hedged claim says less than a plain sentence of the text.
        best = min(claims, key=lambda m: (m.sentence.kind == "heading", m.hedge, m.start))
        return clean(best.sentence.text), best
    found = next((e for e in report.evidence if e.product == product.id), None)
    if found:
        return clean(found.quote), found
    other = next((m for m in report.mentions if m.id in product.mentions), None)
    return (clean(other.sentence.text), other) if other else ("", None)


def is_stated(value: Any) -> bool:
    return value not in UNSTATED and value != [] and value != ()


def unstated(finding: Finding, *, beside_flags: bool = False) -> list[str]:
    """What the document does not say about this product, in the order of the slots.

    ``beside_flags`` leaves out what a flag that is shown with it says already.
    """
    stated = {slot for slot, value in finding.slots.items() if is_stated(value)}
    rows = {slot: row for slot, row in tables()["slots"].items() if "silent" in row}
    if not stated & set(rows):
        return [tr("anything about who took part, what they did or what changed")]
    asked = {flag.code for flag in finding.flags if flag.kind == "ask"}
    flagged = {gap.slot for gap in codebook.tables().gaps if gap.flags & asked} if beside_flags else set()
    return [
        tr(row["silent"])
        for slot, row in rows.items()
        if slot not in stated | flagged and not stated & set(row.get("unless", ()))
    ]


def slot_name(slot: str) -> str:
    found = str(tables()["slots"].get(slot, {}).get("name", slot.replace("_", " ")))
    return found and tr(found)


def kind_of_use(type: str) -> str:
    """What a use of the word is, by its type (codebook 1.1): ``plan for the future``."""
    return tr(str(tables()["mentions"].get(type, (type,))[0]))


def value_words(evidence: Evidence) -> str:
    """What one piece of evidence says, in plain words."""
    if evidence.slot in ("authorship", "reviewers", "contributors"):
        said = word(evidence.value, "people")
    elif evidence.slot == "count":
        said = count_words(evidence.detail, evidence.value)
    else:
        said = word(evidence.value, "values", evidence.slot)
    frequency = evidence.detail.get("frequency")
    if frequency:
        said += f", {clean(str(frequency))}"
    return said + (tr(" (not quite clear)") if evidence.certainty == "borderline" else "")


def count_words(detail: Mapping[str, Any], kind: str = "") -> str:
    """A count in words, from the fields of codebook 2.3."""
    kind = str(detail.get("kind") or kind)
    unit = word(str(detail.get("unit") or "participants"), "values", "unit")
    sort = kind if kind in ("min", "max", "approx") else ""
    some, total = detail.get("le_n"), detail.get("total_n")
    if kind == "vague":
        return tr("no number given")
    if kind == "one_of_many":
        return tr("one person out of {total}").format(total=total) if total else tr("one person in a larger group")
    if kind == "range" and detail.get("low") is not None and detail.get("high") is not None:
        return tr("{low} to {high} {unit}").format(low=f"{detail['low']:,}", high=f"{detail['high']:,}", unit=unit)
    if some is not None and total is not None:
        said = {
            "min": tr("at least {n} out of {total} {unit}"),
            "max": tr("at most {n} out of {total} {unit}"),
            "approx": tr("about {n} out of {total} {unit}"),
        }.get(sort, tr("{n} out of {total} {unit}"))
        return said.format(n=f"{some:,}", total=f"{total:,}", unit=unit)
    if some is not None:
        said = {
            "min": tr("at least {n} {unit}"),
            "max": tr("at most {n} {unit}"),
            "approx": tr("about {n} {unit}"),
        }.get(sort, tr("{n} {unit}"))
        person = some == 1 and unit == tr("people", "unit")
        return said.format(n=f"{some:,}", unit=tr("person", "unit") if person else unit)
    if total is not None:
        said = {
            "min": tr("at least {n} {unit} in all"),
            "max": tr("at most {n} {unit} in all"),
            "approx": tr("about {n} {unit} in all"),
        }.get(sort, tr("{n} {unit} in all"))
        return said.format(n=f"{total:,}", unit=unit)
    return kind.replace("_", " ") or tr("a number")


def chosen_evidence(report: Report, product: Product, most: int | None = None) -> list[tuple[Evidence, list[Evidence]]]:
    """The product's evidence, one entry for each place, each with all that the place says.

    What the grade rests on comes first, then what a flag rests on, then the rest in the order of the slots. Quotes that
    lie inside one another are one place, shown by the longest.
    """
    finding = report.findings[product.id]
    order = list(tables()["slots"])
    graded = {e for reason in finding.reasons for e in reason.evidence}
    flagged = {e for flag in finding.flags for e in flag.evidence}

    def rank(e: Evidence) -> tuple[int, int, int, str]:
        weight = 0 if e.id in graded else 1 if e.id in flagged else 2
        return weight, order.index(e.slot) if e.slot in order else len(order), e.start, e.id

    cited = graded | flagged
    mine = sorted((e for e in report.evidence if e.product == product.id or e.id in cited), key=rank)
    groups: list[list[Evidence]] = []
    for e in mine:
        for group in groups:
            if any(e.start < g.end and g.start < e.end for g in group):
                group.append(e)
                break
        else:
            groups.append([e])
    entries = [(max(group, key=lambda e: (e.end - e.start, -e.start)), group) for group in groups]
    return entries if most is None else entries[:most]


def says(group: Sequence[Evidence]) -> str:
    """What one place says about each slot: ``who wrote it: people who speak for them; how many: 4 of 12``."""
    parts: dict[str, list[str]] = {}
    for e in group:
        words = parts.setdefault(slot_name(e.slot), [])
        if value_words(e) not in words:
            words.append(value_words(e))
    said = "; ".join(f"{name}: {', '.join(words)}" if name else ", ".join(words) for name, words in parts.items())
    return said[:1].upper() + said[1:]


# --- what to check ---------------------------------------------------------------------------------------------------


def to_check(report: Report) -> list[tuple[str, str, str]]:
    """What to check by eye first, least sure first: what was read, the words, and their place."""
    mentions, evidence = {m.id: m for m in report.mentions}, {e.id: e for e in report.evidence}
    out = []
    for doubt in report.doubts:
        if doubt.item in evidence:
            item = evidence[doubt.item]
            name, said = slot_name(item.slot), value_words(item)
            said = f"{name}, {said}" if name else said
            read, words = tr("Read as: {what}").format(what=said), item.quote
        else:
            mention = mentions[doubt.item]
            read = tr("Read as a claim that something was co-produced")
            if doubt.why != "claim":
                read = tr("Read as {what}, not as a claim that something was co-produced").format(
                    what=kind_of_use(mention.type)
                )
            words = mention.sentence.text
        out.append((read, clean(words), pages(report, [doubt.page])))
    return out


# --- the rest of the document ---------------------------------------------------------------------------------------


def other_mentions(report: Report) -> list[Mention]:
    """Uses of the word that are no graded claim."""
    graded = {m.id for product in report.products for m in claims_of(report, product)}
    return [m for m in report.mentions if m.id not in graded]


def counted(mentions: Iterable[Mention]) -> str:
    """``5 plans for the future, 4 names or headings``, most frequent first."""
    counts = Counter(m.type for m in mentions)
    parts = []
    for code, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        one, many = tables()["mentions"].get(code, (code, code))
        parts.append(number(n, one, many))
    return ", ".join(parts)


def claims_found(report: Report) -> str:
    """How many claims the document makes, as a sentence."""
    claimed = sum(1 for p in report.products if claims_of(report, p))
    described = len(report.products) - claimed
    if not report.products:
        return tr("No claim that something was co-produced was found.")
    parts = []
    if claimed:
        parts.append(tr("{claims} that something was co-produced").format(claims=number(claimed, "claim")))
    if described:
        things = number(described, "thing")
        parts.append(tr("{things} described as made with people, without the word").format(things=things))
    return sentence(tr(" and ").join(parts))


def unread(report: Report) -> list[str]:
    """What could not be read, one sentence for each reason, and how to have it read."""
    why: dict[str, list[int]] = {}
    for page in report.document.pages:
        if page.unread:
            why.setdefault(told(clean(page.unread)), []).append(page.number)
    return [f"{sentence(page_ranges(numbers))[:-1]}: {reason}." for reason, numbers in why.items()]


def warnings(report: Report) -> list[str]:
    """The reader's warnings, one line for each message, with its pages."""
    where: dict[str, list[int]] = {}
    for w in report.document.warnings:
        where.setdefault(told(clean(w.message)), []).extend([w.page] if w.page else [])
    return [
        (sentence(message)[:-1] + f" ({page_ranges(numbers)})." if numbers else sentence(message))
        for message, numbers in where.items()
    ]


def in_order(report: Report) -> list[Product]:
    """Products with the document itself first."""
    return sorted(report.products, key=lambda p: not p.is_document)


def about(report: Report) -> str:
    """What kind of document it is: ``PDF, 48 pages``."""
    document = report.document
    kind = {"docx": tr("Word document"), "html": tr("web page"), "text": tr("text"), "markdown": "Markdown"}.get(
        document.format, document.format.upper()
    )
    return kind + (f", {number(len(document.pages), 'page')}" if len(document.pages) > 1 else "")
