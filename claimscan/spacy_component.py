"""claimscan as a spaCy pipeline component: ``nlp.add_pipe("claimscan")``.

It works on the text of the Doc alone, as :func:`claimscan.check_text` does, so that it needs no other component and leaves
the Doc's own annotation as it is. It adds

* ``doc._.claimscan``: the :class:`claimscan.Report`;
* ``doc._.mentions``: the uses of the word as Spans, their label the type of codebook section 1;
* ``doc.spans["claimscan"]``: the same as a span group, ``doc.spans["claimscan_evidence"]``: the evidence, its label the slot;
* ``span._.claimscan``: the :class:`~claimscan.records.Mention` or :class:`~claimscan.records.Evidence` that a span of those
  groups stands for.

A span covers whole tokens of the Doc's tokenizer; the exact characters are in ``span._.claimscan``.
"""

from __future__ import annotations

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup

from claimscan import pipeline
from claimscan.records import Evidence, Mention, Settings

MENTIONS, EVIDENCE = "claimscan", "claimscan_evidence"


class ClaimscanComponent:
    """Finds and grades the claims of a Doc.

    Args:
        name: of the component in its pipeline.
        settings: bounds and choices, part of each report's provenance.
    """

    def __init__(self, name: str = "claimscan", settings: Settings | None = None) -> None:
        self.name = name
        self.settings = settings or Settings()
        Doc.set_extension("claimscan", default=None, force=True)
        Doc.set_extension("mentions", getter=_mentions, force=True)
        # By its id: spaCy keeps a span's own values by place, and evidence of several slots can be on the same words.
        Span.set_extension("claimscan", getter=_record, force=True)

    def __call__(self, doc: Doc) -> Doc:
        report = doc._.claimscan = pipeline.check_text(doc.text, settings=self.settings)
        marked = {
            MENTIONS: [(m.start, m.end, m.type, m.id) for m in report.mentions],
            EVIDENCE: [(e.start, e.end, e.slot, e.id) for e in report.evidence],
        }
        for group, rows in marked.items():
            spans = (
                doc.char_span(a, b, label=label, span_id=key, alignment_mode="expand") for a, b, label, key in rows
            )
            doc.spans[group] = SpanGroup(doc, name=group, spans=[span for span in spans if span is not None])
        return doc

    # What it does is decided by the installed claimscan, so there is nothing of its own to save with a pipeline.

    def to_disk(self, path: Any, *, exclude: tuple[str, ...] = ()) -> None:
        pass

    def from_disk(self, path: Any, *, exclude: tuple[str, ...] = ()) -> ClaimscanComponent:
        return self

    def to_bytes(self, *, exclude: tuple[str, ...] = ()) -> bytes:
        return b""

    def from_bytes(self, data: bytes, *, exclude: tuple[str, ...] = ()) -> ClaimscanComponent:
        return self


def _mentions(doc: Doc) -> list[Span]:
    return list(doc.spans[MENTIONS]) if MENTIONS in doc.spans else []


def _record(span: Span) -> Mention | Evidence | None:
    report = span.doc._.claimscan
    items = (*report.mentions, *report.evidence) if report else ()
    return next((item for item in items if item.id == span.id_), None)


@Language.factory("claimscan", assigns=["doc._.claimscan", "doc._.mentions", "doc.spans"])
def make(nlp: Language, name: str) -> ClaimscanComponent:
    """The factory that spaCy finds through the entry point ``spacy_factories``."""
    return ClaimscanComponent(name)
