"""The whole check, step by step: read, cut, find, group, link, score, grade, ask, doubt, locate.

This file is the flow. Each step is a function from records to records in the module named after it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from json import dumps

from claimscan import (
    __version__,
    codebook,
    doubts,
    evidence,
    grading,
    lexicon,
    linking,
    mentions,
    naming,
    products,
    questions,
    reading,
    scoring,
)
from claimscan.population import population_of
from claimscan.records import Box, Document, Evidence, Finding, Mention, Population, Product, Settings
from claimscan.report import Report
from claimscan.sentences import sentences


def check(source: str | os.PathLike[str], *, settings: Settings | None = None) -> Report:
    """Read one document and judge every claim in it.

    Args:
        source: a path to a PDF, DOCX, HTML, Markdown or text file, or "-" for standard input.
        settings: bounds and choices; the defaults suit a strategy PDF.

    Raises:
        claimscan.errors.ClaimscanError: a named subclass, when the document cannot be read at all.
    """
    settings = settings or Settings()
    return judge(read(source, settings), settings)


def read(source: str | os.PathLike[str], settings: Settings) -> Document:
    """Read one document as far as judging needs it: the layout is measured only where its words can hold a claim."""
    return _read(lambda matters: reading.read(source, settings, matters), again=source != "-")


def read_bytes(data: bytes, name: str, settings: Settings) -> Document:
    """As :func:`read`, of bytes already at hand."""
    return _read(lambda matters: reading.read_bytes(data, name, settings, matters))


def _read(reader: Callable[[reading.Matters | None], Document], again: bool = True) -> Document:
    heard = False

    def matters(page: str) -> bool:
        nonlocal heard
        heard = heard or _heard(page)
        return heard

    document = reader(matters)
    if document.format == "pdf" and not heard and again and len(document.text) < _SHORT:
        document = reader(None)  # so short that less than a claim can count
    return document


def outgrown(document: Document) -> bool:
    """Whether a reading that stopped at the words, as nothing in them mattered then, has to be made again under the
    rules of now."""
    pages = (document.text[page.start : page.end] for page in document.pages)
    return not reading.is_measured(document) and any(map(_heard, pages))


def _heard(page: str) -> bool:
    """Whether a page's words can hold a claim, so that the PDF's layout has to be measured."""
    return mentions.possible(page) or products.possible(page)


def check_text(text: str, *, name: str = "text", settings: Settings | None = None) -> Report:
    """Judge a text as a document of one page. Offsets in the report are into ``text`` exactly as given."""
    return judge(reading.read_text(text, name), settings or Settings())


def judge(document: Document, settings: Settings) -> Report:
    """The steps after reading, in order."""
    population = population_of(document)
    if not _matters(document):
        return Report(document, population, provenance=provenance(settings))
    cut = tuple(sentences(document))
    titles = naming.titles(document)
    spoken = mentions.find(cut, titles, population)
    look = evidence.looker(cut, population, spoken)
    made, spoken = products.group(spoken, look, cut, titles)
    taken = linking.link({}, look, spoken, made, cut, titles)
    more, joined = products.described(taken, look, cut, made, spoken, titles, population)
    made = (*made, *more)
    taken = linking.link(joined, look, spoken, made, cut, titles)
    linked = evidence.numbered(linking.resolve([e for items in taken.values() for e in items if e.product]))
    spoken = tuple(replace(m, score=scoring.mention(m)) for m in spoken)
    claims = scoring.best_claims(made, {m.id: m.score for m in spoken})
    linked = tuple(replace(e, score=scoring.evidence(e, made, claims)) for e in linked)
    scores = {m.id: m.score for m in spoken} | {e.id: e.score for e in linked}
    findings = {p.id: finding(p, spoken, linked, population, document) for p in made}
    findings = {
        p.id: replace(findings[p.id], score=scoring.grade(findings[p.id], scores, p.mentions, len(made))) for p in made
    }
    unsure = doubts.doubts(made, findings, spoken, linked)
    boxes = located(document, spoken, linked)
    return Report(document, population, spoken, made, findings, linked, unsure, boxes, provenance(settings))


_SHORT = 12_000  # characters; of a document of a few pages, products.described asks less


def _matters(document: Document) -> bool:
    """Whether anything can come of the steps: in most long documents without a trigger nothing can, and that is cheap to see."""
    pages = (document.text[page.start : page.end] for page in document.pages)
    return len(document.text) < _SHORT or any(map(_heard, pages))


def finding(
    product: Product,
    spoken: Sequence[Mention],
    linked: Sequence[Evidence],
    population: Population,
    document: Document,
    tables: codebook.Tables | None = None,
) -> Finding:
    """The judgement of one product with its questions, from all mentions and evidence; without its score.

    ``tables``: another codebook than claimscan's own.
    """
    own = [m for m in spoken if m.product == product.id]
    judged = grading.grade(product, own, [e for e in linked if e.product == product.id], population, tables)
    page = own[0].page if own and len(document.pages) > 1 else None
    return replace(judged, questions=questions.questions(judged, page, tables))


def stands(spoken: Iterable[Mention], linked: Iterable[Evidence]) -> bool:
    """E20, T22: whether there is a product: a claim that it was done, or somebody said to have taken part in it.

    Args:
        spoken, linked: the mentions and evidence of this product alone.
    """
    return any(m.type in products.ACCOMPLISHED for m in spoken) or any(
        e.slot in products.TOOK_PART and e.value not in grading.gathering.SILENT for e in linked
    )


def located(document: Document, spoken: Sequence[Mention], linked: Sequence[Evidence]) -> dict[str, tuple[Box, ...]]:
    """The places on the page of mentions and evidence, by id, where they have any."""
    items: list[Mention | Evidence] = [*spoken, *linked]
    places = reading.locate(document, [(i.start, i.end) for i in items])
    return {item.id: boxes for item, boxes in zip(items, places, strict=True) if boxes}


def provenance(settings: Settings) -> dict[str, str]:
    """What, with the document's bytes, decides a report: versions and hashes."""
    from claimscan import language

    return {
        "claimscan": __version__,
        "codebook": codebook.VERSION,
        "lexicons": lexicon.fingerprint(),
        "model": language.model_hash(),
        "scores": scoring.fingerprint(),
        "config": sha256(dumps(asdict(settings), sort_keys=True).encode()).hexdigest(),
    }
