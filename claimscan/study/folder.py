"""The study folder: what was drawn from which run, the drawn documents as they were read, and what each coder coded.

Nothing in it points outside, so that a study can be moved, kept and archived:

    study.json           title, the run's provenance, each step taken with its settings and seed
    frame.csv            every document of the run, with its metadata, what claimscan read and why it cannot be drawn
    products.csv         every product that claimscan found in them, with its grade and flags
    sample.csv           the drawn documents: stratum, inclusion probability, whether two people code it
    documents/           their readings (text, pages, blocks) and reports
    codings/CODER.jsonl  what a coder coded, one coding a line, after a line that lists what she has coded
    lost.csv             what came back and has no place, with the reason
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from claimscan.errors import UsageError
from claimscan.files import unwritable, write_whole
from claimscan.reading import keeping
from claimscan.records import Document, Population
from claimscan.showing.tables import bare_cell, safe_cell
from claimscan.study.codes import CodeSystem, code_system
from claimscan.study.codings import Coding, CodingError, Lost, Returned, detail_text, in_order, of_detail
from claimscan.study.deriving import MACHINE, codings_of, population_of

FORM = "claimscan/study/1"
CODINGS = "claimscan/codings/1"
_NAME = re.compile(r"[\w][\w .@+-]{0,79}")
FRAME = ("document", "source", "title", "status", "why", "pages", "claims", "products", "grade", "band")
PRODUCTS = ("document", "id", "is_document", "grade", "band", "concerns", "asks", "credits")
SAMPLE = ("document", "source", "title", "stratum", "probability", "double", "wave")
LOST = ("file", "coder", "document", "page", "quote", "codes", "why")

Row = Mapping[str, str]


class Study:
    """A study folder. Reads what is there when asked; each change is written at once, and whole.

    Raises:
        UsageError: it is no study folder, or something in it is damaged or cannot be written.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        try:
            with open(self.path("study.json"), encoding="utf-8") as file:
                self.about: Mapping[str, Any] = json.load(file)
        except FileNotFoundError:
            raise UsageError(f"{folder} is no study folder.", "Make one with “claimscan study init”.") from None
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.path('study.json')} cannot be read.") from error
        if not isinstance(self.about, dict) or self.about.get("form") != FORM:
            raise UsageError(f"{folder} is no study folder of this version of claimscan.")

    @classmethod
    def made(
        cls,
        folder: str,
        about: Mapping[str, Any],
        frame: Sequence[Row],
        columns: Sequence[str],
        products: Sequence[Mapping[str, Any]],
    ) -> Study:
        """A new study folder with its frame and the products of it. ``columns``: of the frame, metadata among them."""
        try:
            os.makedirs(os.path.join(folder, "codings"), exist_ok=True)
            os.makedirs(os.path.join(folder, "documents"), exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        if os.path.exists(os.path.join(folder, "study.json")):
            raise UsageError(f"There is a study in {folder} already.", "Choose another folder.")
        write_whole(os.path.join(folder, "frame.csv"), table(frame, columns))
        write_whole(os.path.join(folder, "products.csv"), table(products, PRODUCTS))
        write_whole(os.path.join(folder, "study.json"), _json({"form": FORM, **about, "steps": []}))
        return cls(folder)

    def path(self, *names: str) -> str:
        return os.path.join(self.folder, *names)

    def note(self, step: str, said: Mapping[str, Any]) -> None:
        """Write down that a step was taken, and with what settings; the same step again replaces what it said."""
        steps = [s for s in self.about["steps"] if not (s["step"] == step and s.get("of") == said.get("of"))]
        self.about = {**self.about, "steps": [*steps, {"step": step, **said}]}
        write_whole(self.path("study.json"), _json(self.about))

    def step(self, name: str) -> Mapping[str, Any]:
        """What a step said; empty where it was not taken."""
        return next((s for s in self.about["steps"] if s["step"] == name), {})

    # --- documents ---

    def frame(self) -> list[dict[str, str]]:
        """Every document of the run, read or not."""
        return rows(self.path("frame.csv"))

    def metadata(self) -> list[str]:
        """The names of the frame's columns that the user gave."""
        return [str(name) for name in self.about.get("metadata", [])]

    def sample(self) -> list[dict[str, str]]:
        """The drawn documents.

        Raises:
            UsageError: none were drawn yet.
        """
        if not os.path.exists(self.path("sample.csv")):
            raise UsageError("No documents have been drawn yet.", "Draw them with “claimscan study sample”.")
        return rows(self.path("sample.csv"))

    def keep_sample(self, drawn: Sequence[Row]) -> None:
        write_whole(self.path("sample.csv"), table(drawn, SAMPLE))

    def keep_document(self, document: str, reading: bytes, report: bytes) -> None:
        """Put a drawn document's reading and report into the study."""
        write_whole(self.path("documents", f"{document}.reading.gz"), reading)
        write_whole(self.path("documents", f"{document}.json"), report)

    def documents(self) -> list[Document]:
        """The drawn documents, in the order drawn."""
        return [self.document(row["document"], row["source"]) for row in self.sample()]

    def document(self, document: str, name: str) -> Document:
        """One drawn document as it was read."""
        try:
            with open(self.path("documents", f"{document}.reading.gz"), "rb") as file:
                return keeping.recall(file.read(), name)
        except (OSError, ValueError) as error:
            raise UsageError(f"The reading of {name} in the study folder is lost or damaged.") from error

    def report(self, document: str) -> dict[str, Any]:
        """A drawn document's report, as plain values."""
        try:
            with open(self.path("documents", f"{document}.json"), encoding="utf-8") as file:
                whole = json.load(file)
        except (OSError, ValueError) as error:
            raise UsageError(f"The report of {document[:12]} in the study folder is lost or damaged.") from error
        assert isinstance(whole, dict)
        return whole

    def population(self, document: str) -> Population:
        return population_of(self.report(document))

    # --- codings ---

    def coders(self) -> list[str]:
        """Who has coded something, in alphabetical order; without claimscan."""
        return sorted(n[: -len(".jsonl")] for n in os.listdir(self.path("codings")) if n.endswith(".jsonl"))

    def returned(self, coder: str) -> Returned:
        """What a coder coded; of :data:`~claimscan.study.deriving.MACHINE`, what claimscan's reports say."""
        if coder == MACHINE:
            drawn = [row["document"] for row in self.sample()]
            codings = in_order(c for document in drawn for c in codings_of(self.report(document)))
            return Returned(codings, (), tuple((document, MACHINE) for document in sorted(drawn)))
        try:
            with open(self.path("codings", f"{coder_name(coder)}.jsonl"), encoding="utf-8") as file:
                head, *lines = file.read().splitlines()
            coded = json.loads(head)["coded"]
            codings = in_order(_coding(json.loads(line), coder) for line in lines)
        except (OSError, ValueError, KeyError, TypeError, CodingError) as error:
            raise UsageError(f"The codings of “{coder}” in the study folder are lost or damaged.") from error
        return Returned(codings, (), tuple((document, coder) for document in coded))

    def everyone(self) -> Returned:
        """What all coders coded, claimscan not among them."""
        parts = [self.returned(coder) for coder in self.coders()]
        return Returned(
            in_order(c for part in parts for c in part.codings),
            (),
            tuple(pair for part in parts for pair in part.coded),
        )

    def keep(self, coder: str, codings: Iterable[Coding], coded: Iterable[str]) -> None:
        """Put a coder's codings of some documents in the place of those she had of the same documents."""
        coder, coded = coder_name(coder), set(coded)
        before = self.returned(coder) if coder in self.coders() else Returned()
        kept = [c for c in before.codings if c.document not in coded]
        new = in_order([*kept, *(replace(c, coder=coder) for c in codings)])
        all_coded = sorted(coded | {document for document, _ in before.coded})
        lines = [json.dumps({"form": CODINGS, "coder": coder, "coded": all_coded}, ensure_ascii=True)]
        lines += [json.dumps(plain(c), ensure_ascii=True, sort_keys=True) for c in new]
        write_whole(self.path("codings", f"{coder}.jsonl"), ("\n".join(lines) + "\n").encode())

    def lost(self) -> list[dict[str, str]]:
        """What came back and has no place."""
        return self.table("lost.csv")

    def keep_lost(self, file: str, lost: Iterable[Lost]) -> None:
        """Write down what a file held that has no place; what the same file lost before is replaced."""
        kept = [row for row in self.lost() if row["file"] != file]
        new = [
            {
                "file": file,
                "coder": one.coder,
                "document": one.document,
                "page": str(one.at.page),
                "quote": one.at.quote,
                "codes": " ".join(one.tags),
                "why": one.why,
            }
            for one in lost
        ]
        self.keep_table("lost.csv", [*kept, *new], LOST)

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a table of the study; none where it is not there yet."""
        return rows(self.path(name)) if os.path.exists(self.path(name)) else []

    def keep_table(self, name: str, lines: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """Write a table of the study; its folder is made if it is not there."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        write_whole(self.path(name), table(lines, columns))

    def codes(self, codings: Iterable[Coding] = ()) -> CodeSystem:
        """The code system of the study, with a code for each thing that anybody named."""
        return code_system({c.thing for c in (*codings, *self.everyone().codings, *self.returned(MACHINE).codings)})


def coder_name(name: str) -> str:
    """The name of a coder, where it can also be the name of a file.

    Raises:
        UsageError: it cannot.
    """
    name = name.strip()
    if not _NAME.fullmatch(name) or name == MACHINE or name.endswith("."):
        raise UsageError(
            f"“{name[:80]}” cannot be a coder's name.",
            "Use letters, digits, spaces and . @ + - only; “claimscan” is taken.",
        )
    return name


def plain(coding: Coding) -> dict[str, Any]:
    """A coding as plain values, as in ``claimscan/codings/1``."""
    return {
        "document": coding.document,
        "start": coding.start,
        "end": coding.end,
        "code": coding.code,
        "thing": coding.thing,
        "also": list(coding.also),
        "detail": detail_text(coding.detail),
        "note": coding.note,
    }


def _coding(row: Mapping[str, Any], coder: str) -> Coding:
    return Coding(
        str(row["document"]),
        int(row["start"]),
        int(row["end"]),
        str(row["code"]),
        str(row["thing"]),
        tuple(row["also"]),
        of_detail(row["detail"]),
        str(row["note"]),
        coder,
    )


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Rows as CSV that spreadsheets read as text and never run."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(map(safe_cell, columns))
    writer.writerows([safe_cell(_cell(row.get(column))) for column in columns] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> str:
    return "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)


def rows(path: str) -> list[dict[str, str]]:
    """The rows of such a table."""
    return list(_rows(path))


def _rows(path: str) -> Iterator[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                yield {key: bare_cell(value or "") for key, value in row.items() if key is not None}
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read.") from error


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=1, sort_keys=False) + "\n").encode()
