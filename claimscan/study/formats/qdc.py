"""REFI-QDA codebook (``.qdc``): the codes alone, for NVivo, ATLAS.ti, MAXQDA, QualCoder and others."""

from __future__ import annotations

from claimscan.study.codings import CodingError
from claimscan.study.formats import unpacking
from claimscan.study.formats.refi_codes import ORIGIN, Paths, add_codes, local
from claimscan.study.formats.texts import NOWHERE
from claimscan.study.placing import Placer
from claimscan.study.project import Project

SPACE = "urn:QDA-XML:codebook:1.0"


def write(project: Project) -> bytes:
    """The code system; documents and codings are not part of this format."""
    from lxml import etree

    root = etree.Element(f"{{{SPACE}}}CodeBook", {"origin": ORIGIN}, nsmap={None: SPACE})
    add_codes(root, project.codes)
    return unpacking.to_xml(root)


def read(data: bytes, placer: Placer, coder: str = "") -> None:
    """List the codes of a codebook that are not ours: it has no codings, so there is nothing to place.

    Raises:
        CodingError: it is no codebook.
    """
    root = unpacking.xml(data, "The codebook")
    if local(root) != "CodeBook":
        raise CodingError("This is no REFI-QDA codebook.", "Export it as “codebook (.qdc)”.")
    paths = Paths(placer.codes)
    for _, path in paths.of(root):
        if paths.strange(path):
            why = "It is in the list of codes, and is no code of this codebook."
            placer.lose("", NOWHERE, (path,), coder, why)
