"""The figures of a study's report: SVG and PDF for a paper, the same bytes every time, each with its text alternative."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from claimscan.codebook import tables
from claimscan.study.estimate_tables import METHODS

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "claimscan",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
}

Rows = Sequence[Mapping[str, Any]]
# Told apart by shape as well as by colour, and the colours by every kind of sight.
_MARKS = {
    "naive": ("x", "#666666"),
    "coded": ("s", "#0072b2"),
    "powered": ("o", "#d55e00"),
    "rogan_gladen": ("^", "#009e73"),
}
_AGREED = ("claim", "type", "thing", "status", "level", "band")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        name: of its files. ``title``: above it. ``text``: what it shows, in words, for those who do not see it.
        files: its bytes by the end of the file's name, ``.svg`` and ``.pdf``.
    """

    name: str
    title: str
    text: str
    files: Mapping[str, bytes]


def drawn(agreement: Rows, estimates: Rows) -> list[Figure]:
    """A figure of the shares of documents and one of products, at each level, and one of agreement; those that can be made."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # no setting of the user's comes into a figure
        matplotlib.rcParams.update(_STYLE)
        made = [*(_shares(estimates, of) for of in ("documents", "products")), _agreement(agreement)]
    return [figure for figure in made if figure is not None]


def _shares(rows: Rows, of: str) -> Figure | None:
    levels = tables().levels
    wanted = [r for r in rows if r["of"] == of and r["variable"] == "grade" and not r["group"] and r["share"]]
    by_level = {level.id: {r["method"]: r for r in wanted if r["value"] == level.id} for level in levels}
    if not any(by_level.values()):
        return None
    canvas, axes = _canvas(7.0, 3.8)
    present = [m for m in METHODS if any(m in found for found in by_level.values())]
    for n, method in enumerate(present):
        points = [(i, by_level[level.id][method]) for i, level in enumerate(levels) if method in by_level[level.id]]
        x = [i + (n - (len(present) - 1) / 2) * 0.17 for i, _ in points]
        y = [100 * float(r["share"]) for _, r in points]
        ends = [[100 * (float(r["share"]) - float(r["low"] or r["share"])) for _, r in points]]
        ends.append([100 * (float(r["high"] or r["share"]) - float(r["share"])) for _, r in points])
        mark, colour = _MARKS[method]
        axes.errorbar(x, y, yerr=ends, fmt=mark, color=colour, ms=5, lw=1.2, capsize=2, label=METHODS[method])
    axes.set_xticks(range(len(levels)), [f"{level.id}\n{level.label}" for level in levels])
    axes.set_ylabel(f"% of {of}")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7, frameon=False)
    title = f"Share of {of} at each level"
    lines = []
    for level in levels:
        said = [f"{METHODS[m]} {_percent(r)}" for m, r in by_level[level.id].items()]
        if said:
            lines.append(f"Level {level.id}, {level.label}: {'; '.join(said)}.")
    text = f"{title}, by method, with 95% intervals. {' '.join(lines)}"
    return Figure(f"shares-of-{of}", title, text, _files(canvas))


def _percent(row: Mapping[str, Any]) -> str:
    interval = f" ({100 * float(row['low']):.1f} to {100 * float(row['high']):.1f})" if row["low"] else ""
    return f"{100 * float(row['share']):.1f}%{interval}"


def _agreement(rows: Rows) -> Figure | None:
    found = [r for r in rows if r["variable"] in _AGREED and r["alpha"]]
    found += [r for r in rows if r["variable"].startswith("value ") and r["alpha"]]
    if not found:
        return None
    found.reverse()
    canvas, axes = _canvas(6.0, 0.9 + 0.26 * len(found))
    for i, row in enumerate(found):
        if row["alpha_low"]:
            axes.plot([float(row["alpha_low"]), float(row["alpha_high"])], [i, i], color="#0072b2", lw=1.4)
        axes.plot([float(row["alpha"])], [i], "o", color="#0072b2", ms=5)
    for least in (0.667, 0.8):
        axes.axvline(least, color="#666666", lw=0.8, ls="--")
    axes.set_yticks(range(len(found)), [row["variable"].replace("_", " ") for row in found])
    axes.set_xlim(min(0.0, *(float(r["alpha_low"] or r["alpha"]) for r in found)), 1.02)
    axes.set_xlabel("Krippendorff's alpha (dashed: 0.667 and 0.8)")
    title = "Agreement of coders"
    told = [
        f"{r['variable'].replace('_', ' ')} {r['alpha']}"
        + (f" ({r['alpha_low']} to {r['alpha_high']})" if r["alpha_low"] else "")
        for r in reversed(found)
    ]
    text = f"{title}: Krippendorff's alpha with 95% intervals, where there are enough documents. {'; '.join(told)}."
    return Figure("agreement", title, text, _files(canvas))


def _canvas(width: float, height: float) -> tuple[Canvas, Any]:
    """A canvas of its own, so that no window opens. Sizes are in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)
    return canvas, axes


def _files(canvas: Canvas) -> dict[str, bytes]:
    found = {}
    for kind, left_out in (("svg", ("Date", "Creator")), ("pdf", ("CreationDate", "Producer", "Creator"))):
        out = io.BytesIO()
        canvas.savefig(out, format=kind, metadata=dict.fromkeys(left_out))
        found[f".{kind}"] = out.getvalue()
    return found
