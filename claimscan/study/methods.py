"""The report of a study: the methods paragraph, written from what was run, and the page with its tables and figures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from claimscan.codebook import tables
from claimscan.showing import templates
from claimscan.showing import wording as say
from claimscan.study.adjudicating import ADJUDICATED
from claimscan.study.beginning import DRAWABLE, NO_CLAIM
from claimscan.study.deriving import MACHINE
from claimscan.study.estimate_tables import METHODS
from claimscan.study.frameworks import Framework, framework

if TYPE_CHECKING:
    from claimscan.study.figures import Figure
    from claimscan.study.folder import Study

Tables = Mapping[str, Sequence[Mapping[str, str]]]
_SOURCES = (
    "Angelopoulos, A. N., Duchi, J. C. & Zrnic, T. (2023). PPI++: Efficient prediction-powered inference. arXiv:2311.01453.",
    "Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high agreement. British Journal of "
    "Mathematical and Statistical Psychology 61, 29–48.",
    "Krippendorff, K. (2019). Content Analysis: An Introduction to Its Methodology (4th ed.). Sage.",
    "Rogan, W. J. & Gladen, B. (1978). Estimating prevalence from the results of a screening test. American Journal of "
    "Epidemiology 107, 71–76.",
    "Särndal, C.-E., Swensson, B. & Wretman, J. (1992). Model Assisted Survey Sampling. Springer.",
)


def paragraph(study: Study, found: Tables) -> str:
    """What was done, as a paper says it: only what the study notes, with its numbers."""
    about = study.about
    frame = study.frame()
    drawable = [row for row in frame if row["status"] == DRAWABLE]
    silent = sum(row["grade"] == NO_CLAIM for row in drawable)
    unread, repeats = (sum(row["status"] in kinds for row in frame) for kinds in (("unread",), ("repeat", "text")))
    provenance = about["provenance"]
    said = [
        f"We read {_n(len(frame), 'document')} with claimscan {provenance['claimscan']} (codebook {provenance['codebook']}; rules "
        f"{provenance['lexicons'][:12]}, model {provenance['model'][:12]}). {_n(unread, 'document')} could not be read and "
        f"{_n(repeats, 'document')} repeated another; of the {len(drawable):,} left, {silent:,} had no claim of co-production "
        "and nothing described as such.",
        "Grades are of what a document shows, not of what happened; what a document does not state is not taken for a no.",
    ]
    if sample := study.step("sample"):
        by = (
            f" by {', '.join(sample['by'])} and by whether there is a claim"
            if sample["by"]
            else " by whether there is a claim"
        )
        twice = sum(row["double"] == "yes" for row in study.sample())
        said.append(
            f"We drew {_n(sample['documents'], 'document')}, stratified{by} ({len(sample['strata'])} strata, {sample['allocation']} "
            f"allocation), with permanent random numbers (seed “{sample['seed']}”); {twice:,} were to be coded by two people."
        )
    if people := [who for who in study.coders() if who != ADJUDICATED]:
        coded = {document for who in people for document, _ in study.returned(who).coded}
        said.append(
            f"{_n(len(people), 'person', 'people')} coded {_n(len(coded), 'document')} with the codebook's codes; levels and flags "
            "were derived from the codes by its rules and not judged."
        )
    if lost := len(study.lost()):
        said.append(
            f"{_n(lost, 'coding')} that came back had no place in the documents and {'is' if lost == 1 else 'are'} listed."
        )
    if agreed := study.step("agreement"):
        rows = {row["variable"]: row for row in found["agreement"]}
        level = rows.get("level")
        figures = f" For derived levels alpha was {_alpha(level)}." if level and level["alpha"] else ""
        other = " (claimscan compared as a coder)" if MACHINE in agreed["coders"] else ""
        said.append(
            f"Agreement{other} is Krippendorff's alpha (nominal; ordinal for levels and bands), with percent agreement, kappa and Gwet's "
            f"AC1; intervals are percentile bootstraps that draw whole documents ({agreed['draws']:,} draws, seed {agreed['seed']}).{figures}"
        )
    if decided := len(study.table("decisions.csv")):
        said.append(
            f"{_n(decided, 'disagreement')} {'was' if decided == 1 else 'were'} decided by a codebook rule where one decides."
        )
    if estimated := study.step("estimate"):
        n = {row["document"] for row in found["counts"] if row["by"] == "hand"}
        gold = f" by {estimated['gold']}" if estimated["gold"] else ""
        said.append(
            f"Shares were estimated from the grades of all {len(drawable):,} documents and the hand coding{gold} of {len(n):,}, weighted "
            "by inverse probability and clustered by document: a difference estimator with tuned weight (prediction-powered "
            "inference), beside hand coding alone, the correction of Rogan and Gladen, and claimscan alone, which is biased. Drawn "
            "documents that were not coded, or on which coders are not settled, are taken to be like the others of their stratum."
        )
    said.append("The archive of the study can be run again to the same bytes.")
    return "\n\n".join(said) + "\n"


def page(study: Study, found: Tables, drawn: Sequence[Figure], text: str) -> str:
    """The report as one self-contained page."""
    style = templates.resource("report.css") + templates.resource("study_report.css")
    said = study.step("estimate")
    ladder = framework(said["framework"]) if said.get("framework") else None
    return templates.template("study_report.html.j2").render(
        title=study.about["title"],
        fair=say.FAIR,
        style=templates.own(style),
        style_hash=templates.policy_hash(style),
        paragraphs=text.split("\n\n"),
        sources=_SOURCES,
        figures=[(figure.title, figure.text, _picture(figure)) for figure in drawn],
        agreement=found["agreement"],
        spans=found["spans"],
        disagreements=found["disagreements"][:50],
        n_disagreements=len(found["disagreements"]),
        shares=_shares(found["estimates"], ladder),
        by=said.get("by", ""),
        ladder=ladder,
        methods=METHODS,
        strata=study.step("sample").get("strata", []),
        names=_names(),
        provenance=study.about["provenance"],
    )


def _picture(figure: Figure) -> str:
    """The figure as a picture in the page: the page's policy would stop the styles of an SVG that stands in it."""
    return "data:image/svg+xml;base64," + base64.b64encode(figure.files[".svg"]).decode()


def _shares(rows: Sequence[Mapping[str, str]], ladder: Framework | None) -> list[dict[str, Any]]:
    """The tables of shares: one for each of documents and products, each variable and each group, a row for each value."""
    wanted = ["grade", "band", "status", *([ladder.column] if ladder else []), "flag"]
    out: dict[tuple[str, str, str], dict[str, dict[str, Mapping[str, str]]]] = {}
    for row in rows:
        if row["variable"] in wanted:
            out.setdefault((row["of"], row["variable"], row["group"]), {}).setdefault(row["value"], {})[
                row["method"]
            ] = row
    made = []
    for (of, variable, group), values in sorted(out.items(), key=lambda x: (x[0][2], x[0][0], wanted.index(x[0][1]))):
        shown = {value: found for value, found in values.items() if _any(found)}
        notes: dict[str, int] = {}
        for found in shown.values():
            for row in found.values():
                if (
                    row["note"] and row["method"] != "naive"
                ):  # what is wrong with that one is said of all, above the tables
                    notes.setdefault(row["note"], len(notes) + 1)
        made.append({"of": of, "variable": variable, "group": group, "shares": shown, "notes": notes})
    return made


def _names() -> dict[str, str]:
    """Grades in words."""
    table = tables()
    named = {level.id: f"{level.id} {level.label}" for level in table.levels}
    return named | {code: f"{code} ({status.plain})" for code, status in table.statuses.items()}


def _any(by_method: Mapping[str, Mapping[str, str]]) -> bool:
    return any(float(row["share"] or 0) > 0 for row in by_method.values())


def _n(n: int, one: str, many: str = "") -> str:
    return say.number(n, one, many)


def _alpha(row: Mapping[str, str]) -> str:
    interval = f" ({row['alpha_low']} to {row['alpha_high']})" if row["alpha_low"] else ""
    return f"{row['alpha']}{interval}"
