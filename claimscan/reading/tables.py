"""Ruled tables: the cells that a page's rules enclose, and the lines of text that stand in each.

The rules come from pdfium, which has the page open anyway; which of them enclose cells is pdfplumber's method
(``pdfplumber.table``: snap and join the rules, intersect them, take the smallest rectangles, group those that touch).
pdfplumber is imported only for a page that has both rules and text that stands in columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from claimscan.reading.layout import Line, white

_MOST_RULES = 700  # after joining; more is a chart or a map
_MOST_CELLS = 1500


class Rule(NamedTuple):
    """A straight rule in points, origin top left: level where ``top`` equals ``bottom``, else upright."""

    x0: float
    top: float
    x1: float
    bottom: float


Cell = tuple[float, float, float, float]


def cells_of(rules: Sequence[Rule]) -> list[list[list[Cell]]]:
    """The tables that the rules make, top to bottom: rows of cells, each ``(x0, top, x1, bottom)``."""
    from pdfplumber import table

    edges: list[dict[str, Any]] = [
        {
            "x0": rule.x0,
            "x1": rule.x1,
            "top": rule.top,
            "bottom": rule.bottom,
            "width": rule.x1 - rule.x0,
            "height": rule.bottom - rule.top,
            "orientation": "h" if rule.top == rule.bottom else "v",
            "object_type": "line",
        }
        for rule in rules
    ]
    edges = table.merge_edges(edges, 3, 3, 3, 3)
    edges = [edge for edge in edges if max(edge["x1"] - edge["x0"], edge["bottom"] - edge["top"]) >= 8]
    if len(edges) > _MOST_RULES:
        return []
    cells = table.intersections_to_cells(table.edges_to_intersections(edges, 3, 3))
    if not 2 <= len(cells) <= _MOST_CELLS:
        return []
    made = []
    for group in table.cells_to_tables(cells):
        rows: dict[float, list[Cell]] = {}
        for cell in group:
            rows.setdefault(cell[1], []).append(cell)
        made.append([sorted(rows[top]) for top in sorted(rows)])
    return _side_by_side(made)


def _side_by_side(tables: list[list[list[Cell]]]) -> list[list[list[Cell]]]:
    """Tables that stand next to each other with the same row heights are one, drawn in parts."""
    made: list[list[list[Cell]]] = []
    for rows in sorted(tables, key=lambda rows: (rows[0][0][0], rows[0][0][1])):
        for other in made:
            near = -3 <= rows[0][0][0] - other[0][-1][2] <= 18
            if near and len(rows) == len(other) > 1:
                if all(abs(row[0][1] - beside[0][1]) < 5 for row, beside in zip(rows, other, strict=True)):
                    for row, beside in zip(rows, other, strict=True):
                        beside.extend(row)
                    break
        else:
            made.append([list(row) for row in rows])
    return sorted(made, key=lambda rows: (rows[0][0][1], rows[0][0][0]))


def set_in(
    lines: list[Line], tables: Sequence[Sequence[Sequence[Cell]]], cut: Callable[[Line, Sequence[float]], list[Line]]
) -> list[Line]:
    """The page's lines with those that stand in a table replaced, where the first stood, by one line with ``rows``.

    ``cut(line, xs)`` parts a line at the white space that holds one of the uprights ``xs``.
    """
    for rows in tables:
        x0, x1 = min(row[0][0] for row in rows), max(row[-1][2] for row in rows)
        top, bottom = rows[0][0][1], max(cell[3] for row in rows for cell in row)
        uprights = sorted({edge for row in rows for cell in row for edge in (cell[0], cell[2])})
        filled: list[dict[float, list[Line]]] = [{} for _ in rows]  # for each row, the lines of each cell by its left
        kept: list[Line] = []
        at = -1
        for line in lines:
            middle = (line.top + line.bottom) / 2
            if line.rows or line.turned or not (top <= middle <= bottom and line.x1 > x0 and line.x0 < x1):
                kept.append(line)
                continue
            for part in cut(line, [x for x in uprights if line.x0 + 1 < x < line.x1 - 1]):
                place = _place(rows, part, middle)
                if place is None:
                    kept.append(part)
                    continue
                number, left = place
                if left is None:  # rules are missing here: a cell is what stands one under the other
                    left = next((x for x, cell in filled[number].items() if _under(cell, part)), part.x0)
                filled[number].setdefault(left, []).append(part)
                at = len(kept) if at < 0 else at
        if sum(len(row) for row in filled) < 2:
            continue  # a box, or an empty grid: the lines stay as they were
        whole = Line(0, "", x0, top, x1, bottom, 0.0)
        for row in filled:
            if row:
                whole.rows.extend(_by_line([row[left] for left in sorted(row)]))
        whole.start = whole.rows[0][0][0].start
        kept.insert(at, whole)
        lines = kept
    return lines


def _by_line(cells: list[list[Line]]) -> list[list[list[Line]]]:
    """A row of cells; or a row for each line, where rules part only the columns of a table of short entries."""
    tops = [sorted({round(part.top / 3) for part in cell}) for cell in cells]
    parts = [part for cell in cells for part in cell]
    count = max(len(places) for places in tops)
    if len(cells) < 2 or count < 2 or sum(len(part.text.split()) for part in parts) > 3.2 * len(parts):
        return [cells]
    if (
        sum(len(places) == count for places in tops) < 0.6 * len(tops)
        or len({place for row in tops for place in row}) > 2 * count
    ):
        return [cells]
    by_top: dict[int, list[Line]] = {}
    for part in sorted(parts, key=lambda part: part.top):
        place = next((top for top in by_top if abs(top - part.top) < 0.5 * part.size), None)
        by_top.setdefault(int(part.top) if place is None else place, []).append(part)
    return [[[part] for part in sorted(row, key=lambda part: part.x0)] for row in by_top.values()]


def _under(cell: Sequence[Line], part: Line) -> bool:
    return any(part.x0 < other.x1 and other.x0 < part.x1 for other in cell)


def _place(rows: Sequence[Sequence[Cell]], part: Line, y: float) -> tuple[int, float | None] | None:
    """The row that a part of a line stands in, and the left of its cell (None where rules are missing)."""
    x = (part.x0 + part.x1) / 2
    beside = None
    for number, row in enumerate(rows):
        for cell in row:
            if cell[1] - 1 <= y <= cell[3] + 1:
                if cell[0] - 1 <= x <= cell[2] + 1:
                    return number, cell[0]
                beside = number
    if beside is None or not rows[0][0][0] - 1 <= x <= max(row[-1][2] for row in rows) + 1:
        return None
    return beside, None


def uprights(rules: Sequence[Rule], lines: Sequence[Line]) -> list[Rule]:
    """Uprights in the white gutters of a table that has only level rules, and at its sides."""
    level: list[Rule] = []  # whole rules: pieces drawn cell by cell are joined
    for rule in sorted(
        (rule for rule in rules if rule.top == rule.bottom), key=lambda rule: (round(rule.top), rule.x0)
    ):
        if level and abs(level[-1].top - rule.top) < 1 and rule.x0 <= level[-1].x1 + 3:
            level[-1] = level[-1]._replace(x1=max(level[-1].x1, rule.x1))
        else:
            level.append(rule)
    level = [rule for rule in level if rule.x1 - rule.x0 > 60]
    groups: list[list[Rule]] = []
    for rule in level:
        for group in groups:
            if abs(group[0].x0 - rule.x0) < 4 and abs(group[0].x1 - rule.x1) < 4:
                group.append(rule)
                break
        else:
            groups.append([rule])
    made = []
    for group in groups:
        x0, x1, top, bottom = group[0].x0, group[0].x1, group[0].top, group[-1].top
        if len(group) < 4 or any(
            r.top != r.bottom and x0 + 6 < r.x0 < x1 - 6 and r.top < bottom and r.bottom > top for r in rules
        ):
            continue
        inside = [part for line in lines if top < line.top < bottom and x0 - 3 < line.x0 < x1 for part in line.parts()]
        gutters = white(((part.x0, part.x1) for part in inside), 6)
        if gutters:
            for x in (x0, x1, *((left + right) / 2 for left, right in gutters)):
                made.append(Rule(x, top, x, bottom))
    return made
