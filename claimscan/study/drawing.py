"""The sample of a study: drawn from its frame, recorded with its probabilities, and made larger without drawing anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from claimscan.codebook import LEVELS, tables
from claimscan.errors import UsageError
from claimscan.study import planning
from claimscan.study.beginning import DRAWABLE, NO_CLAIM, draw
from claimscan.study.folder import Study
from claimscan.study.sampling import Allocation, Drawn, Listed, Sample, Stratum
from claimscan.study.sampling import draw as drawn
from claimscan.study.sampling import extend, number

SENSITIVITY, SPECIFICITY = 0.8, 0.9  # of a band, assumed for planning
WRONG = 1 / 3  # ratings, as in the planning simulation of codebook 7.2
OWN = ("grade", "band")  # columns of the frame, besides the user's, that strata can be made of


def sample(
    study: Study,
    run: str,
    n: int,
    *,
    by: Sequence[str] = (),
    allocation: Allocation = "proportional",
    twice: float = 0.0,
    seed: str = "0",
    more: bool = False,
) -> Sample:
    """Draw ``n`` documents and put them, as they were read, into the study.

    Args:
        run: the run folder that the study is of.
        by: columns of the frame that strata are made of; documents with no claim are always apart.
        twice: share of the drawn documents that two people code.
        more: ``n`` is the new number of a sample that has all the documents of the one there is; columns, allocation and seed
            are those of the first.

    Raises:
        UsageError: a column is not there, a sample is there already, or ``n`` does not fit.
    """
    before = study.step("sample")
    if bool(before) != more:
        raise UsageError(
            *(
                ("Documents have been drawn already.", "Add --more to draw further ones, or begin a new study.")
                if before
                else ("There is no sample yet to add to.", "Draw one without --more.")
            )
        )
    if more:
        by, allocation, seed, twice = before["by"], before["allocation"], before["seed"], before["twice"]
    rows = {row["document"]: row for row in study.frame() if row["status"] == DRAWABLE}
    known = [*study.metadata(), *OWN]
    for column in by:
        if column not in known:
            raise UsageError(f"The frame has no column “{column}”.", f"There are: {', '.join(known)}.")
    listed = _listed(rows.values(), by)
    made = (
        extend(_before(study, listed, seed), listed, n, allocation=allocation, twice=twice)
        if more
        else drawn(listed, n, seed, allocation=allocation, twice=twice)
    )
    draw(run, study, [_row(rows[one.document], one) for one in made.documents])
    said = {"documents": n, "of": len(rows), "by": list(by), "allocation": allocation, "twice": twice, "seed": seed}
    said |= {"strata": [{"name": s.name, "size": s.size, "drawn": s.drawn} for s in made.strata]}
    study.note("sample", said)
    return made


def strata(study: Study) -> dict[str, tuple[str, float]]:
    """Stratum and inclusion probability of every document that could be drawn, drawn or not."""
    said = study.step("sample")
    chance = {s["name"]: s["drawn"] / s["size"] for s in said["strata"]}
    rows = [row for row in study.frame() if row["status"] == DRAWABLE]
    return {one.document: (one.stratum, chance[one.stratum]) for one in _listed(rows, said["by"])}


def _listed(rows: Iterable[Mapping[str, str]], by: Sequence[str]) -> list[Listed]:
    """The frame as sampling wants it. A document with no claim has no grade to be a stratum of."""
    return [
        Listed(row["document"], tuple(row[c] for c in by if claims or c not in OWN), claims)
        for row in rows
        for claims in (row["grade"] != NO_CLAIM,)
    ]


def _row(row: Mapping[str, str], one: Drawn) -> dict[str, str]:
    return {
        **row,
        "stratum": one.stratum,
        "probability": repr(one.probability),
        "double": "yes" if one.twice else "no",
        "wave": str(one.wave),
    }


def _before(study: Study, listed: Sequence[Listed], seed: str) -> Sample:
    strata = [Stratum(s["name"], s["size"], s["drawn"]) for s in study.step("sample")["strata"]]
    documents = [
        Drawn(
            row["document"],
            row["stratum"],
            float(row["probability"]),
            number(seed, row["document"]),
            row["double"] == "yes",
            wave=int(row["wave"]),
        )
        for row in study.sample()
    ]
    return Sample(seed, tuple(strata), tuple(documents))


def plan(study: Study, half_width: float) -> list[str]:
    """How many documents to code, and how many claims twice, for intervals of a half-width, in sentences.

    Expected shares are those that claimscan predicts, so this is rough; a pilot tells more.
    """
    rows = [row for row in study.frame() if row["status"] == DRAWABLE]
    said = []
    for band in dict.fromkeys(level.band for level in tables().levels):
        strata_of: dict[str, list[bool]] = {}
        for row in rows:
            strata_of.setdefault("claim" if row["grade"] != NO_CLAIM else NO_CLAIM, []).append(row["band"] == band)
        guesses = {name: planning.Guess(len(has), sum(has) / len(has)) for name, has in strata_of.items()}
        alone = planning.documents_to_code(half_width, guesses)
        helped = planning.documents_to_code(half_width, guesses, sensitivity=SENSITIVITY, specificity=SPECIFICITY)
        share = sum(row["band"] == band for row in rows) / len(rows)
        said.append(
            f"{band} (predicted {100 * share:.0f} %): {alone.documents:,} of {len(rows):,} documents with hand coding alone, "
            f"{helped.documents:,} with claimscan's grades corrected, if it finds {SENSITIVITY:.0%} of these and {SPECIFICITY:.0%} "
            "of the others."
        )
    levels = [sum(row["grade"] == level for row in rows) for level in LEVELS]
    if sum(map(bool, levels)) > 1:
        twice = planning.units_to_code_twice(0.1, [n / sum(levels) for n in levels], WRONG)
        said.append(
            f"Agreement: {twice.units:,} graded claims coded by two people give alpha within 0.10, if one rating in three is "
            f"wrong, mostly by one level (codebook 7.2); alpha would then be about {twice.alpha:.2f}."
        )
    return said
