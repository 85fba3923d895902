"""Reads the corpus: documents of our own with the annotations written inside the text (format: corpus/README.md).

:func:`read` parses one file into a :class:`~claimscan.training.gold.GoldDocument`. Every mistake in a file is
reported with its line, all of them at once.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claimscan.codebook import MENTION_TYPES
from claimscan.errors import ClaimscanError
from claimscan.training.gold import (
    CELL,
    GRADABLE,
    LAYOUTS,
    POPULATIONS,
    SPLITS,
    GoldBlock,
    GoldDocument,
    GoldEvidence,
    GoldMention,
    GoldProduct,
    codes,
)

# Section 0 of the codebook, to find a trigger that was not annotated. Phrase triggers are left to the reader.
TRIGGER = re.compile(
    r"\bco[\s\-\u2010\u2011\u2013\u00ad]*(?:produc|design|creat|develop|writ|wrote|author)\w*"
    r"|\b(?:c|g|ch|ngh)yd-?(?:gynhyrch|ddylun|gre)\w*",
    re.IGNORECASE,
)


class CorpusError(ClaimscanError):
    """A corpus file is wrong. ``problems`` are sentences that begin with ``file:line:``."""

    exit_code = 2
    remedy = "Correct the lines named; the format is described in corpus/README.md."

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read(path: Path) -> GoldDocument:
    """Read one corpus file.

    Raises:
        CorpusError: the file breaks the format; every mistake is listed with its line.
    """
    return parse(path.read_text(encoding="utf-8"), path.name, path.stem)


def parse(source: str, name: str = "document.txt", stem: str = "") -> GoldDocument:
    """Parse the inline form. ``name`` stands in the messages; ``stem``, where given, is what the id must be."""
    return _Parser(source, name, stem).document()


def unmarked(document: GoldDocument) -> list[tuple[int, str]]:
    """Triggers in no mention and no ``x`` mark, as (first line of the block, words)."""
    marked = [(m.start, m.end) for m in document.mentions] + list(document.skipped)
    return [
        (block.line, hit.group())
        for block in document.blocks
        for hit in TRIGGER.finditer(document.text, block.start, block.end)
        if not any(start < hit.end() and hit.start() < end for start, end in marked)
    ]


# --- the parser -----------------------------------------------------------------------------------------------------

_FRONT = {
    "id": str,
    "title": str,
    "register": str,
    "body": str,
    "population": dict,
    "split": str,
    "layouts": list,
    "contents": bool,
    "running_head": str,
    "language": str,
    "products": list,
}
_FRONT_NEEDED = ("id", "title", "register", "body", "population", "split")
_PRODUCT = {
    "id": str,
    "name": str,
    "is_document": bool,
    "grade": str,
    "ceiling": str,
    "proxy_grade": str,
    "flags": list,
    "note": str,
}
_PRODUCT_NEEDED = ("id", "name", "is_document", "grade")
_NUMBERS = ("le_n", "total_n", "low", "high")
_SEPARATOR = re.compile(r"\|(\s*:?-+:?\s*\|)+\s*$")


@dataclass(slots=True)
class _Mark:
    """A mark of one block: where its words are, and its annotation. Offsets into the block until it is placed."""

    line: int
    start: int
    end: int = 0
    bar: tuple[int, int] | None = None
    annotation: str = ""


class _Parser:
    def __init__(self, source: str, name: str, stem: str) -> None:
        self.name, self.stem = name, stem
        self.problems: list[tuple[int, str]] = []
        self.lines = source.replace("\r\n", "\n").split("\n")
        self.text = ""
        self.blocks: list[GoldBlock] = []
        self.mentions: list[GoldMention] = []
        self.evidence: list[GoldEvidence] = []
        self.skipped: list[tuple[int, int]] = []
        self.products: dict[str, GoldProduct] = {}

    def wrong(self, line: int, message: str) -> None:
        self.problems.append((line, message))

    def stop_if_wrong(self) -> None:
        if self.problems:
            raise CorpusError([f"{self.name}:{line}: {message}" for line, message in sorted(set(self.problems))])

    def document(self) -> GoldDocument:
        front, first = self.front_matter()
        self.body(first)
        self.check_products()
        self.stop_if_wrong()
        return GoldDocument(
            id=front["id"],
            title=front["title"],
            register=front["register"],
            body=front["body"],
            population=front["population"],
            split=front["split"],
            layouts=tuple(front.get("layouts", LAYOUTS)),
            contents=front.get("contents", False),
            running_head=front.get("running_head", front["title"]),
            language=front.get("language", "en"),
            text=self.text,
            blocks=tuple(self.blocks),
            mentions=tuple(self.mentions),
            evidence=tuple(self.evidence),
            skipped=tuple(self.skipped),
            products=tuple(self.products.values()),
        )

    # --- front matter

    def front_matter(self) -> tuple[dict[str, Any], int]:
        """The front matter and the index of the first line of the body."""
        fences = [i for i, line in enumerate(self.lines) if line.strip() == "+++"][:2]
        if len(fences) < 2 or any(line.strip() for line in self.lines[: fences[0]]):
            self.wrong(1, "the file must begin with front matter between two lines +++")
            self.stop_if_wrong()
        try:
            front = tomllib.loads("\n" * (fences[0] + 1) + "\n".join(self.lines[fences[0] + 1 : fences[1]]))
        except tomllib.TOMLDecodeError as error:
            at = re.search(r"line (\d+)", str(error))
            self.wrong(int(at.group(1)) if at else fences[0] + 1, f"the front matter is not TOML: {error}")
            self.stop_if_wrong()
        self.check_keys(front, _FRONT, _FRONT_NEEDED, "front matter", 1)
        if self.stem and front.get("id") != self.stem:
            self.wrong(self.find("id"), f"id is {front.get('id')!r} but the file is called {self.stem!r}")
        population = front.get("population", {})
        if not isinstance(population, dict) or set(population) != {"label", "kind"}:
            self.wrong(self.find("population"), "population needs label and kind, and nothing else")
        elif population["kind"] not in POPULATIONS:
            self.one_of(self.find("population"), "population kind", population["kind"], POPULATIONS)
        self.one_of(self.find("split"), "split", front.get("split"), SPLITS)
        self.one_of(self.find("language"), "language", front.get("language", "en"), ("en", "cy", "en+cy"))
        for layout in front.get("layouts", ()):
            self.one_of(self.find("layouts"), "layout", layout, LAYOUTS)
        for number, product in enumerate(front.get("products", ())):
            self.product(product, self.find("[[products]]", number))
        return front, fences[1] + 1

    def find(self, start: str, skip: int = 0) -> int:
        """The line of a key, for a message."""
        hits = [i for i, line in enumerate(self.lines, 1) if re.match(rf"\s*{re.escape(start)}", line)]
        return hits[skip] if len(hits) > skip else 1

    def one_of(self, line: int, what: str, value: object, allowed: object) -> bool:
        values = sorted(map(str, allowed))  # type: ignore[call-overload]
        if isinstance(value, str) and value in values:
            return True
        self.wrong(line, f"unknown {what} {value!r}; known: {' '.join(values)}")
        return False

    def check_keys(
        self, table: Mapping[str, Any], kinds: Mapping[str, type], needed: tuple[str, ...], what: str, line: int
    ) -> bool:
        before = len(self.problems)
        for key, value in table.items():
            if key not in kinds:
                self.wrong(self.find(key) if line == 1 else line, f"unknown key {key!r} in {what}")
            elif not isinstance(value, kinds[key]):
                self.wrong(self.find(key) if line == 1 else line, f"{key} in {what} must be a {kinds[key].__name__}")
        for key in needed:
            if key not in table:
                self.wrong(line, f"{what} has no {key}")
        return len(self.problems) == before

    def product(self, table: Mapping[str, Any], line: int) -> None:
        if not self.check_keys(table, _PRODUCT, _PRODUCT_NEEDED, "products", line):
            return
        if table["id"] in self.products:
            self.wrong(line, f"duplicate product {table['id']!r}")
        if not re.fullmatch(r"[A-Za-z]\w*", table["id"]):
            self.wrong(line, f"product id {table['id']!r} must be letters and figures, such as p1")
        self.one_of(line, "grade", table["grade"], codes().grades)
        if "ceiling" in table:
            self.one_of(line, "ceiling", table["ceiling"], codes().grades)
        if "proxy_grade" in table:
            self.one_of(line, "proxy_grade", table["proxy_grade"], "123456")
        for flag in table.get("flags", ()):
            self.one_of(line, "flag", flag, codes().flags)
        flags = tuple(table["flags"]) if "flags" in table else None
        self.products[table["id"]] = GoldProduct(**{**table, "flags": flags})

    def check_products(self) -> None:
        graded = [m for m in self.mentions if m.type in GRADABLE]
        for number, product in enumerate(self.products.values()):
            line = self.find("[[products]]", number)
            evidence = [e for e in self.evidence if e.product == product.id]
            if not evidence and not any(m.product == product.id for m in self.mentions):
                self.wrong(line, f"nothing in the text is marked for product {product.id}")
            elif product.grade in "123456" and not evidence:
                self.wrong(line, f"product {product.id} has grade {product.grade} but no evidence is marked")
            elif not evidence and not any(m.product == product.id for m in graded):
                self.wrong(line, f"product {product.id} has neither a gradable mention nor evidence (E20)")

    # --- body

    def body(self, first: int) -> None:
        place, box, boxes, tables, opened = "body", 0, 0, 0, 0
        table, new_page = 0, False
        index = first
        while index < len(self.lines):
            line, number = self.lines[index].strip(), index + 1
            index += 1
            if not line.startswith("|"):
                table = 0
            if not line:
                continue
            if line.startswith(":::"):
                word, _, title = line[3:].strip().partition(" ")
                if not word:
                    if place == "body":
                        self.wrong(number, "::: closes nothing")
                    place, box = "body", 0
                elif word not in ("box", "cover"):
                    self.wrong(number, f"unknown block {word!r}; known: box cover")
                elif place != "body":
                    self.wrong(number, f"the {place} opened on line {opened} is not closed")
                elif word == "cover" and self.blocks:
                    self.wrong(number, "the cover must come first in the body")
                else:
                    boxes += 1
                    place, box, opened = word, boxes, number
                    if title.strip():
                        self.add(title.strip(), number, "heading", 4, place, box, 0, False, new_page)
                        new_page = False
                continue
            if line == "---":
                new_page = True
                continue
            head, level = False, 0
            if heading := re.match(r"(#+)\s+(.*)", line):
                kind, level, raw = "heading", len(heading.group(1)), heading.group(2)
                if level > 3:
                    self.wrong(number, "headings have at most three #")
            elif line.startswith("|"):
                if _SEPARATOR.match(line):
                    self.wrong(number, "a line | --- | may only follow the first row of a table")
                    continue
                kind, raw = "row", line
                if not table:
                    tables += 1
                    table = tables
                    head = index < len(self.lines) and bool(_SEPARATOR.match(self.lines[index].strip()))
                    index += head
            else:
                kind = "item" if line.startswith("- ") else "quote" if line.startswith(">") else "paragraph"
                lines = [line]
                while index < len(self.lines) and self.goes_on(self.lines[index].strip(), kind):
                    lines.append(self.lines[index].strip())
                    index += 1
                if kind == "quote":
                    lines = [line.lstrip(">").strip() for line in lines]
                elif kind == "item":
                    lines[0] = lines[0][2:].strip()
                raw = "\n".join(lines)
            quote = kind == "quote"
            if quote and place != "body":
                self.wrong(number, f"a pull quote cannot stand in a {place}")
            self.add(
                raw,
                number,
                "paragraph" if quote else kind,
                level,
                "quote" if quote else place,
                box,
                table if kind == "row" else 0,
                head,
                new_page,
            )
            new_page = False
        if place != "body":
            self.wrong(opened, f"the {place} is never closed with :::")
        if not self.blocks:
            self.wrong(first + 1, "the body is empty")

    @staticmethod
    def goes_on(line: str, kind: str) -> bool:
        if kind == "quote":
            return line.startswith(">")
        return bool(line) and line != "---" and not re.match(r":::|#+\s|\||- |>", line)

    def add(
        self,
        raw: str,
        line: int,
        kind: str,
        level: int,
        place: str,
        box: int,
        table: int,
        head: bool,
        new_page: bool,
    ) -> None:
        """Parse the marks of one block and append it to the text."""
        words, marks, bold = self.inline(raw, line, kind == "row")
        kept, where = _tidy(words)
        if not kept.strip():
            self.wrong(line, "an empty block")
            return
        before = self.blocks[-1] if self.blocks else None
        together = before and (kind == before.kind == "item" or table and table == before.table)
        bullet = "- " if kind == "item" else ""
        self.text += ("" if not before else "\n" if together else "\n\n") + bullet
        start = len(self.text)
        cells, at = [], start
        for cell in kept.split("\x1f"):
            cells.append((at, at + len(cell)))
            at += len(cell) + len(CELL)
        # \x1f stands for CELL, which is longer: an offset moves by the separators before it.
        extra = [0]
        for letter in kept:
            extra.append(extra[-1] + (len(CELL) - 1 if letter == "\x1f" else 0))
        shown = kept.replace("\x1f", CELL)

        def placed(begin: int, end: int) -> tuple[int, int]:
            first, last = where[begin], where[end]
            while first < last and kept[first] in " \x1f":
                first += 1
            while last > first and kept[last - 1] in " \x1f":
                last -= 1
            return start + first + extra[first], start + last + extra[last]

        self.text += shown
        number = len(self.blocks)
        self.blocks.append(
            GoldBlock(
                start,
                len(self.text),
                kind,
                line,
                level,
                place,
                box,
                table,
                head,
                new_page,
                tuple(cells) if kind == "row" else (),
                tuple(placed(*span) for span in bold),
            )
        )
        for mark in sorted(marks, key=lambda m: (m.start, -m.end)):
            begin, end = placed(mark.start, mark.end)
            if begin == end:
                self.wrong(mark.line, "a mark with no words")
            else:
                self.annotate(mark, begin, end, number)

    def inline(self, raw: str, line: int, row: bool) -> tuple[list[str], list[_Mark], list[tuple[int, int]]]:
        """The letters of a block, its marks, and what is bold. Cells of a row are parted by ``\\x1f``."""
        if row:
            raw = raw.strip()[1:]
            if raw.endswith("|") and not raw.endswith("\\|"):
                raw = raw[:-1]
            else:
                self.wrong(line, "a table row must end with |")
        out: list[str] = []
        open_marks: list[_Mark] = []
        done: list[_Mark] = []
        bold: list[tuple[int, int]] = []
        bold_from: int | None = None
        i = 0
        while i < len(raw):
            here = line + raw.count("\n", 0, i)
            if raw[i] == "\\" and i + 1 < len(raw) and raw[i + 1] in "[]|*\\":
                out.append(raw[i + 1])
                i += 2
            elif raw.startswith("[[", i):
                open_marks.append(_Mark(here, len(out)))
                i += 2
            elif raw.startswith("]]", i) and open_marks:
                mark = open_marks.pop()
                if mark.bar is None:
                    self.wrong(mark.line, "a mark with no annotation: [[words|code]]")
                    mark.bar = (len(out), i)
                if any(other.end > mark.bar[0] for other in done):
                    self.wrong(mark.line, "the annotation must come last in its mark")
                    done = [other for other in done if other.end <= mark.bar[0]]
                mark.annotation = " ".join(raw[mark.bar[1] : i].split())
                mark.end = mark.bar[0]
                del out[mark.end :]
                done.append(mark)
                i += 2
            elif raw.startswith("]]", i):
                self.wrong(here, "]] closes nothing: a mark never runs over two blocks (\\] is a plain bracket)")
                i += 2
            elif raw.startswith("**", i):
                if bold_from is None:
                    bold_from = len(out)
                else:
                    bold.append((bold_from, len(out)))
                    bold_from = None
                i += 2
            else:
                if raw[i] == "|":
                    if open_marks:
                        open_marks[-1].bar = (len(out), i + 1)
                    out.append("\x1f" if row else "|")
                else:
                    out.append(" " if raw[i].isspace() else raw[i])
                i += 1
        for mark in open_marks:
            self.wrong(mark.line, "unclosed mark: a mark is closed in its own block and never runs over two")
        if bold_from is not None:
            self.wrong(line, "** opens bold words that are never closed in this block")
        return out, [] if open_marks else done, bold

    # --- annotations

    def annotate(self, mark: _Mark, start: int, end: int, block: int) -> None:
        code, _, rest = mark.annotation.partition(" ")
        if code == "m":
            self.mention(rest, mark.line, start, end, block)
        elif code == "e":
            self.slots(rest, mark.line, start, end, block)
        elif code == "x" and not rest:
            self.skipped.append((start, end))
        else:
            self.wrong(mark.line, f"unknown annotation {mark.annotation!r}: it begins with m, e or x")

    def declared(self, product: str, line: int) -> bool:
        if product in self.products:
            return True
        self.wrong(line, f"undeclared product {product!r}")
        return False

    def mention(self, rest: str, line: int, start: int, end: int, block: int) -> None:
        product, type_, *options = rest.split() + [""] * (2 - len(rest.split()))
        if product == "-":
            product = ""
        elif not self.declared(product, line):
            return
        if not self.one_of(line, "mention type", type_, MENTION_TYPES):
            return
        scope = "whole"
        for option in options:
            key, _, value = option.partition("=")
            if key == "scope":
                self.one_of(line, "scope", value, codes().slots["scope"])
                scope = value
            elif option != "hedge":
                self.wrong(line, f"unknown option {option!r} of a mention; known: hedge scope=")
        if not product and type_ in ("DOC_DONE", "OTHER_DONE"):
            self.wrong(line, f"{type_} needs a product")
        elif product and type_ in ("DOC_DONE", "OTHER_DONE"):
            if self.products[product].is_document != (type_ == "DOC_DONE"):
                stated = "true" if type_ == "OTHER_DONE" else "false"
                self.wrong(line, f"{type_} but product {product} has is_document = {stated}")
        number = f"m{len(self.mentions) + 1}"
        self.mentions.append(GoldMention(number, start, end, block, type_, product, "hedge" in options, scope))

    def slots(self, rest: str, line: int, start: int, end: int, block: int) -> None:
        product, _, filled = rest.partition(" ")
        if not self.declared(product, line):
            return
        try:
            parts = [shlex.split(part) for part in re.findall(r'(?:[^;"]|"[^"]*")+', filled)]
        except ValueError as error:
            self.wrong(line, f"cannot read {filled!r}: {error}")
            return
        found: list[GoldEvidence] = []
        shared: dict[str, str] = {}
        for words in (part for part in parts if part):
            pairs = dict(self.pairs(words, line))
            if not pairs.keys() - {"who", "certainty"}:
                shared.update(pairs)
                continue
            found.extend(self.slot(pairs, line, start, end, block, product))
        if not found and not any(at == line for at, _ in self.problems):
            self.wrong(line, "an evidence mark fills no slot")
        for item in found:
            number = f"e{len(self.evidence) + 1}"
            self.evidence.append(
                GoldEvidence(
                    number,
                    start,
                    end,
                    block,
                    product,
                    item.slot,
                    item.value,
                    item.who or shared.get("who", ""),
                    shared.get("certainty", item.certainty),
                    item.detail,
                )
            )

    def pairs(self, words: list[str], line: int) -> Iterator[tuple[str, str]]:
        for word in words:
            key, equals, value = word.partition("=")
            if not equals and key == "count":
                yield "count", ""
            elif not equals or not value:
                self.wrong(line, f"{word!r} is not slot=value")
            elif key == "certainty" and value not in ("explicit", "borderline"):
                self.wrong(line, f"unknown certainty {value!r}; known: borderline explicit")
            elif key == "who" and not self.one_of(line, "who", value, codes().who):
                pass
            else:
                yield key, value

    def slot(
        self, pairs: dict[str, str], line: int, start: int, end: int, block: int, product: str
    ) -> Iterator[GoldEvidence]:
        slot = next((key for key in pairs if key in codes().slots), "")
        if not slot:
            self.one_of(line, "slot", next(iter(pairs)), codes().slots)
            return
        allowed = {"who", "certainty", slot}
        allowed |= {"count": {*_NUMBERS, "kind", "unit"}, "continuity": {"frequency"}, "breadth": {"axis"}}.get(
            slot, set()
        )
        for key in pairs.keys() - allowed:
            self.wrong(line, f"{key!r} does not go with {slot}: part slots with ;")
        detail: dict[str, Any] = {}
        values = pairs[slot].split(",")
        if slot == "count":
            for key in pairs.keys() & {*_NUMBERS}:
                if not pairs[key].isdigit():
                    self.wrong(line, f"{key} must be a whole number, not {pairs[key]!r}")
                    return
            detail = {key: int(pairs[key]) for key in _NUMBERS if key in pairs}
            detail |= {key: pairs[key] for key in ("kind", "unit") if key in pairs}
            if not self.one_of(line, "count kind", pairs.get("kind"), codes().count_kinds):
                return
            if "unit" in pairs:
                self.one_of(line, "count unit", pairs["unit"], codes().count_units)
            values = [pairs["kind"]]
        else:
            detail = {key: pairs[key] for key in ("frequency", "axis") if key in pairs}
            for value in values:
                if value in ("not_stated", "none_stated"):
                    self.wrong(line, f"{slot}={value}: what is not stated is not marked")
                elif not self.one_of(line, f"value of {slot}", value, codes().slots[slot]):
                    return
        for value in values:
            who, certainty = pairs.get("who", ""), pairs.get("certainty", "explicit")
            yield GoldEvidence("", start, end, block, product, slot, value, who, certainty, detail)


def _tidy(letters: list[str]) -> tuple[str, list[int]]:
    """Collapse white space, none at the ends or beside a cell border; where each old offset is in the new text."""
    kept: list[str] = []
    where: list[int] = []
    for letter in letters:
        where.append(len(kept))
        if letter == "\x1f" and kept and kept[-1] == " ":
            kept.pop()
            where[-1] -= 1
        if letter != " " or kept and kept[-1] not in " \x1f":
            kept.append(letter)
    if kept and kept[-1] == " ":
        kept.pop()
    return "".join(kept), [min(at, len(kept)) for at in (*where, len(kept))]
