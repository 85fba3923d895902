"""Evidence that stands in the layout and in no sentence: tables of what people said and what changed, and voices set apart.

The patterns are data (``data/lexicons/laid_out.toml``). A row under "The panel said" and "The charter says" names a change and what
it came from (codebook 2.8), though neither cell says so; a block in somebody's own words with "(carer, Hull)" below it is testimony (E8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby

from claimscan import people
from claimscan.lexicon import compiled, load
from claimscan.records import Evidence, Population, Sentence

_LONGEST = 90  # words of a voice; what is longer is an article
_SHORTEST = 5
_CELL = re.compile(r"\s\|\s")
_EDGE = re.compile(r"^\|\s|\s\|$")  # Markdown read as text


@cache
def _pattern(table: str, key: str) -> re.Pattern[str]:
    return compiled(load("laid_out.toml")[table][key])


def find(sentences: Sequence[Sentence], population: Population) -> Mapping[int, tuple[Evidence, ...]]:
    """By the index of a sentence, what the layout says there; an empty tuple for the header of a table of changes, which states
    nothing. Products and ids are left out, as evidence.find leaves them."""
    found: dict[int, tuple[Evidence, ...]] = {}
    for is_row, run in groupby(range(len(sentences)), key=lambda i: sentences[i].kind == "row"):
        indexes = list(run)
        if is_row:
            found |= _changes(sentences, indexes, population)
            continue
        for _, block in groupby(indexes, key=lambda i: sentences[i].block):
            found |= _voice(sentences, list(block), population)
    return found


def _changes(
    sentences: Sequence[Sentence], indexes: Sequence[int], population: Population
) -> dict[int, tuple[Evidence, ...]]:
    """What the rows of a table say, where its first row heads it as one of what was said and what was changed."""
    rows = [list(row) for _, row in groupby(indexes, key=lambda i: sentences[i].block)]
    header = [cell for cell, _ in _cells(sentences, rows[0])]
    said = next((n for n, cell in enumerate(header) if _heads("said", cell, population)), None)
    done = next((n for n, cell in enumerate(header) if n != said and _heads("done", cell, population)), None)
    if said is None or done is None:
        return {}
    found: dict[int, tuple[Evidence, ...]] = {i: () for i in rows[0]}
    for row in rows[1:]:
        cells = _cells(sentences, row)
        if len(cells) != len(header):
            continue
        text, at = cells[done]
        if _pattern("cell", "promised").search(text) or _pattern("cell", "nothing").search(text):
            continue
        value = "specific_incl_not_done" if _pattern("cell", "refused").search(text) else "specific"
        found[at] = (_evidence(sentences[at], "feedback_acted", value, "laid-out-changes"),)
    return found


def _cells(sentences: Sequence[Sentence], row: Sequence[int]) -> list[tuple[str, int]]:
    """The cells of a row, each with the index of the sentence in which it ends: a row may be cut at a full stop."""
    cells: list[tuple[str, int]] = []
    carried = ""
    for i in row:
        *whole, last = _CELL.split(_EDGE.sub("", sentences[i].text))
        for part in whole:
            cells.append((f"{carried} {part}".strip(), i))
            carried = ""
        carried = f"{carried} {last}".strip()
    return [*cells, (carried, row[-1])]


def _heads(column: str, cell: str, population: Population) -> bool:
    return len(cell) < 60 and bool(_pattern("column", column).search(people.mask(cell, population)))


def _voice(
    sentences: Sequence[Sentence], block: Sequence[int], population: Population
) -> dict[int, tuple[Evidence, ...]]:
    """A block that is somebody's own words, with who said them at its end."""
    first = sentences[block[0]]
    if first.kind not in ("paragraph", "item") or len(block) > _LONGEST:
        return {}
    text = " ".join(sentences[i].text for i in block)
    if not _SHORTEST <= len(text.split()) <= _LONGEST:
        return {}
    if _pattern("voice", "heading").search(first.heading) and _pattern("voice", "quoted").search(text):
        return {block[0]: (_evidence(first, "method", "testimony", "laid-out-voice"),)}
    signed = _pattern("voice", "signed").search(text)
    if not signed or not _pattern("voice", "by").search(people.mask(signed["by"], population)):
        return {}
    who = people.classify(signed["by"], population)
    at = next(i for i in reversed(block) if sentences[i].start <= first.start + signed.start())
    return {at: (_evidence(sentences[at], "method", "testimony", "laid-out-voice", who),)}


def _evidence(sentence: Sentence, slot: str, value: str, rule: str, who: str = "") -> Evidence:
    return Evidence("", slot, value, sentence.start, sentence.end, sentence.text, sentence.page, rule, 0.8, who)
