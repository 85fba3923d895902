"""The code system in REFI-QDA's form, which projects and codebooks share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from claimscan.study.codes import CodeSystem
from claimscan.study.codings import THING
from claimscan.study.formats.texts import guid, held

ORIGIN = "claimscan"


def local(element: Any) -> str:
    """The name of an element without its namespace: tools differ in the version they write there."""
    return str(element.tag).rpartition("}")[2]


def children(element: Any, *names: str) -> Iterator[Any]:
    return (child for child in element if local(child) in names)


def child_text(element: Any, name: str) -> str:
    """The text of the first child of that name."""
    return next(("".join(child.itertext()) for child in children(element, name)), "")


def key(value: Any) -> str:
    """A guid as it can be compared: tools write it in capitals or in braces."""
    return (value or "").strip().strip("{}").lower()


def add_codes(parent: Any, codes: CodeSystem) -> None:
    """Write ``Codes`` into an element. Each code's name is its whole path, as some tools drop the tree."""
    from lxml import etree

    space = etree.QName(parent).namespace
    tree = etree.SubElement(parent, f"{{{space}}}Codes")
    group = tree
    for code in codes.codes:
        made = etree.SubElement(
            tree if code.is_group else group,
            f"{{{space}}}Code",
            guid=guid("code", code.path),
            name=held(code.path),
            isCodable="false" if code.is_group else "true",
            color=code.colour,
        )
        etree.SubElement(made, f"{{{space}}}Description").text = held(code.about)
        if code.is_group:
            group = made


class Paths:
    """What a code of a file is here, by its guid, its place in the tree, or its name."""

    def __init__(self, codes: CodeSystem) -> None:
        self._by_guid = {guid("code", code.path): code.path for code in codes.codes}
        self._by_name = {plain(code.path): code.path for code in codes.codes}

    def of(self, tree: Any) -> Iterator[tuple[str, str]]:
        """Guid and path of every code below an element; the names above it and its own where it is none of ours."""

        def walk(element: Any, above: tuple[str, ...], group: str) -> Iterator[tuple[str, str]]:
            for code in children(element, "Code"):
                name = (code.get("name") or "").strip()
                path = self._path(code, name, group) or "/".join((*above, name))
                yield key(code.get("guid")), path
                yield from walk(code, (*above, name), path)

        for codes in [tree] if local(tree) == "Codes" else children(tree, "Codes"):
            yield from walk(codes, (), "")

    def _path(self, code: Any, name: str, group: str) -> str:
        if key(code.get("guid")) in self._by_guid:
            return self._by_guid[key(code.get("guid"))]
        for said in (name, f"{group}/{name}"):
            if plain(said) in self._by_name:
                return self._by_name[plain(said)]
        if plain(name).startswith(f"{THING}/"):
            return f"{THING}/{name.partition('/')[2]}"
        return f"{THING}/{name}" if group == THING or group.startswith(f"{THING}/") else ""

    def strange(self, path: str) -> bool:
        """Whether such a path is no code of ours and names no thing."""
        return plain(path) not in self._by_name and not path.startswith(f"{THING}/")


def plain(name: str) -> str:
    """A name as it can be compared."""
    return re.sub(r"\s*(?:/|::|:|\\)\s*", "/", " ".join(name.split())).casefold()


def by_guid(paths: Paths, root: Any) -> Mapping[str, str]:
    """The paths of a file's codes by their guids."""
    return {one: path for book in children(root, "CodeBook") for one, path in paths.of(book) if one}
