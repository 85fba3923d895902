"""Codings out to the tools that people code in, and back.

Each format has one pair of functions: ``write(project)`` gives the bytes of a file, ``read(data, placer, coder)`` tells a
:class:`~claimscan.study.placing.Placer` what a file holds. Whatever cannot be read or placed is listed there with a plain
sentence; a file that is none of the format raises :class:`~claimscan.study.codings.CodingError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from claimscan.study.formats import cas, doccano, label_studio, qdc, qdpx, sheet, web_annotation
from claimscan.study.placing import Placer
from claimscan.study.project import Project


class Read(Protocol):
    def __call__(self, data: bytes, placer: Placer, coder: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        suffix: the end of a file's name, with the dot.
        about: what it is for, in a few words.
        beside: what else the tool needs, by the end of its file's name: ``.labels.json``.
    """

    name: str
    suffix: str
    about: str
    write: Callable[[Project], bytes]
    read: Read
    beside: Mapping[str, Callable[[Project], bytes]] = field(default_factory=dict)


_ALL = (
    Format("qdpx", ".qdpx", "REFI-QDA project: NVivo, ATLAS.ti, MAXQDA, QualCoder", qdpx.write, qdpx.read),
    Format("qdc", ".qdc", "REFI-QDA codebook: the codes alone", qdc.write, qdc.read),
    Format("inception", ".zip", "UIMA CAS XMI: INCEpTION", cas.write, cas.read),
    Format(
        "label-studio",
        ".json",
        "tasks for Label Studio",
        label_studio.write,
        label_studio.read,
        {".config.xml": label_studio.config},
    ),
    Format("doccano", ".jsonl", "JSON lines: doccano", doccano.write, doccano.read, {".labels.json": doccano.labels}),
    Format("xlsx", ".xlsx", "a workbook, a row for each coding", sheet.write, sheet.read),
    Format("csv", ".csv", "a table, a row for each coding", sheet.write_csv, sheet.read_csv),
    Format("web-annotation", ".jsonld", "W3C Web Annotation", web_annotation.write, web_annotation.read),
)
FORMATS: Mapping[str, Format] = {one.name: one for one in _ALL}
