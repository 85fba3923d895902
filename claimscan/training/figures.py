"""Figures of a run: counts first, each ratio once, with intervals; and what was gained or lost against an earlier run.

The items come from :mod:`claimscan.training.evaluate`. Every headline figure is a ratio of sums over documents, so that
its bootstrap interval draws whole documents (Efron and Tibshirani 1993, percentile interval): passages of one document are
not independent of each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from claimscan import codebook
from claimscan.codebook import MENTION_TYPES
from claimscan.training.evaluate import NONE, Item
from claimscan.training.gold import GRADABLE

if TYPE_CHECKING:
    import pandas


# --- figures --------------------------------------------------------------------------------------------------------


def figures(items: Sequence[Item]) -> dict[str, Any]:
    """Counts and ratios of a run. Ratios of nothing are None. Confusions are (gold, found, how often)."""
    import pandas
    from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix

    frame = pandas.DataFrame(items, columns=_COLUMNS)
    mentions, products = frame[frame.kind == "mention"], frame[frame.kind == "product"]
    slots, quotes = frame[frame.kind == "slot"], frame[frame.kind == "quote"]
    typed, graded = mentions[mentions.gold != NONE], products[products.gold != NONE]
    labels = [*MENTION_TYPES, NONE]
    table = confusion_matrix(mentions.gold, mentions.found, labels=labels) if len(mentions) else np.zeros((0, 0), int)
    confusions = [
        [labels[row], labels[column], int(table[row, column])]
        for row, column in sorted(zip(*np.nonzero(table)), key=lambda at: -table[at])
        if row != column
    ]
    on_scale = graded[graded.gold.isin(codebook.LEVELS) & graded.found.isin(codebook.LEVELS)]
    on_gold, on_found = on_scale.gold.astype(int), on_scale.found.astype(int)
    bands = {level.id: level.band for level in codebook.tables().levels}
    stated_both = slots[(slots.gold != NONE) & (slots.found != NONE)]
    result: dict[str, Any] = {
        "documents": int(frame.document.nunique()),
        "readings": int(frame.groupby(["document", "layout"]).ngroups),
        "mentions": _prf(mentions.gold != NONE, mentions.found != NONE),
        "type_accuracy": float(accuracy_score(typed.gold, typed.found)) if len(typed) else None,
        "type_kappa": float(cohen_kappa_score(typed.gold, typed.found)) if typed.gold.nunique() > 1 else None,
        "gradable_claims": _prf(mentions.gold.isin(GRADABLE), mentions.found.isin(GRADABLE)),
        "products": _prf(products.gold != NONE, products.found != NONE),
        "grade_exact": _mean(graded.right),
        "grade_within_one": _mean((on_gold - on_found).abs() <= 1),
        "grade_kappa_quadratic": None,
        "on_scale_pairs": len(on_scale),
        "band": _mean([_band(one, bands) == _band(other, bands) for one, other in zip(graded.gold, graded.found)]),
        "ceilings": int((frame.kind == "ceiling").sum()),
        "ceiling_exact": _mean(frame[frame.kind == "ceiling"].right),
        "proxy_grades": int((frame.kind == "proxy_grade").sum()),
        "proxy_grade_exact": _mean(frame[frame.kind == "proxy_grade"].right),
        "slots_stated": _prf(slots.gold != NONE, slots.found != NONE),
        "slot_value_given_both": _mean(stated_both.right),
        "links_given_gold_ends": _mean(frame[frame.kind == "link"].right),
        "links": int((frame.kind == "link").sum()),
        "flags": _prf(frame[frame.kind == "flag"].gold != NONE, frame[frame.kind == "flag"].found != NONE),
        "quotes": {
            "gold": len(quotes),
            "same_slot": _mean(quotes.same_slot),
            "any_slot": _mean(quotes.any_slot),
            "read": _mean(quotes.read.dropna()),
            "placed": _mean(quotes.placed.dropna()),
        },
        "type_confusions": confusions,
        "slots": {
            str(slot): {
                **_prf(part.gold != NONE, part.found != NONE),
                "value": _mean(part[(part.gold != NONE) & (part.found != NONE)].right),
            }
            for slot, part in slots.groupby("note")
        },
    }
    if len(set(on_gold)) > 1 or len(set(on_found)) > 1:  # kappa has no meaning where everything has one value
        result["grade_kappa_quadratic"] = float(cohen_kappa_score(on_gold, on_found, weights="quadratic"))
    return result


_COLUMNS = ["document", "split", "register", "layout", "kind", "id", "gold", "found", "right", "note", "score"] + [
    "any_slot",
    "same_slot",
    "same_value",
    "read",
    "placed",
]


def _mean(values: Any) -> float | None:
    return float(np.mean([bool(value) for value in values])) if len(values) else None


def _prf(gold: Any, found: Any) -> dict[str, Any]:
    from sklearn.metrics import precision_recall_fscore_support

    counts = {"gold": int(sum(gold)), "found": int(sum(found)), "both": int(sum(gold & found))}
    if not len(gold):
        return counts | {"precision": None, "recall": None, "f1": None}
    p, r, f, _ = precision_recall_fscore_support(gold, found, average="binary", pos_label=True, zero_division=0.0)
    return counts | {"precision": float(p), "recall": float(r), "f1": float(f)}


# --- how sure -------------------------------------------------------------------------------------------------------


def _sums(items: Sequence[Item]) -> pandas.DataFrame:
    """The counts that every headline figure is a ratio of: one row for each document."""
    import pandas

    frame = pandas.DataFrame(items, columns=_COLUMNS)
    kind, gold, found = frame.kind, frame.gold != NONE, frame.found != NONE
    claim, told = frame.gold.isin(GRADABLE), frame.found.isin(GRADABLE)
    bands = {level.id: level.band for level in codebook.tables().levels}
    same_band = np.array([_band(g, bands) == _band(f, bands) for g, f in zip(frame.gold, frame.found)], dtype=bool)
    columns = {
        "typed": (kind == "mention") & gold,
        "typed right": (kind == "mention") & gold & frame.right,
        "claims": (kind == "mention") & claim,
        "claims found": (kind == "mention") & told,
        "claims both": (kind == "mention") & claim & told,
        "products": (kind == "product") & gold,
        "products found": (kind == "product") & found,
        "products both": (kind == "product") & gold & found,
        "grades right": (kind == "product") & gold & frame.right,
        "bands right": (kind == "product") & gold & same_band,
        "slots": (kind == "slot") & gold,
        "slots found": (kind == "slot") & found,
        "slots both": (kind == "slot") & gold & found,
        "values right": (kind == "slot") & gold & found & frame.right,
        "flags": (kind == "flag") & gold,
        "flags found": (kind == "flag") & found,
        "flags both": (kind == "flag") & gold & found,
        "quotes": kind == "quote",
        "quotes right": (kind == "quote") & frame.right,
    }
    return pandas.DataFrame(columns).astype(int).groupby(frame.document).sum()


def _band(grade: Any, bands: Mapping[str, str]) -> str:
    return NONE if grade == NONE else bands.get(str(grade), "off")


def _f1(name: str) -> Callable[[Any], float]:
    def ratio(sums: Any) -> float:
        return float(2 * sums[f"{name} both"] / max(1, sums[name] + sums[f"{name} found"]))

    return ratio


def _part(top: str, bottom: str) -> Callable[[Any], float]:
    return lambda sums: float(sums[top] / max(1, sums[bottom]))


HEADLINES: Mapping[str, Callable[[Any], float]] = {
    "type accuracy": _part("typed right", "typed"),
    "gradable claim f1": _f1("claims"),
    "product f1": _f1("products"),
    "grade exact": _part("grades right", "products"),
    "band or off-scale": _part("bands right", "products"),
    "slot stated f1": _f1("slots"),
    "slot value given both": _part("values right", "slots both"),
    "flags f1": _f1("flags"),
    "evidence quote recall": _part("quotes right", "quotes"),
}


def headlines(items: Sequence[Item]) -> dict[str, float]:
    """The headline figures alone, each a ratio of sums, 0 to 1."""
    sums = _sums(items).sum()
    return {name: round(ratio(sums), 4) for name, ratio in HEADLINES.items()}


def intervals(items: Sequence[Item], draws: int = 2000, seed: int = 20261125) -> dict[str, tuple[float, float]]:
    """95% percentile bootstrap interval of each headline figure, drawing whole documents with replacement."""
    table = _sums(items)
    rows = np.random.default_rng(seed).integers(0, len(table), (draws, len(table)))
    drawn = {name: column.to_numpy()[rows].sum(axis=1) for name, column in table.items()}
    one = [{name: column[i] for name, column in drawn.items()} for i in range(draws)]
    out = {}
    for name, ratio in HEADLINES.items():
        low, high = np.percentile([ratio(sums) for sums in one], [2.5, 97.5])
        out[name] = (round(float(low), 3), round(float(high), 3))
    return out


# Registers of one kind together: one document by itself says little. The first that fits, in this order.
REGISTERS: Mapping[str, str] = {
    "Welsh or bilingual": "cymraeg|bilingual",
    "Easy Read": "easy read",
    "spoken: minutes, transcripts": "minutes|transcript|speech",
    "tenders, terms, adverts": "tender|specification|terms of reference|advert|intentions|market position",
    "forms": "form\\b",
    "newsletters, blogs, letters": "newsletter|blog|letter|essay",
    "web pages, guides": "web page|web guide|faq|questions|toolkit|explainer|local offer",
    "reports, reviews, research": "report|account|review|evaluation|research|summary|paper|protocol",
    "strategies, plans, policies": "",
}


def register_group(register: str) -> str:
    """The kind of register that a document's own words for its register belong to."""
    return next(name for name, pattern in REGISTERS.items() if re.search(pattern, register.lower()))


def by_register(items: Sequence[Item]) -> pandas.DataFrame:
    """The headline figures for each kind of register, with how many documents, mentions and products they rest on."""
    import pandas

    rows = {}
    for register in REGISTERS:
        part = [item for item in items if register_group(item["register"]) == register]
        if not part:
            continue
        sums = _sums(part)
        counts = {"documents": len(sums), "mentions": int(sums["typed"].sum()), "products": int(sums["products"].sum())}
        rows[register] = counts | headlines(part)
    return pandas.DataFrame(rows).T


def calibration(items: Sequence[Item], kind: str = "", bins: int = 10) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error of the scores of one kind (of all, where none is named), and its bins as (mean score, share right,
    how many).

    Bins are of equal width (Guo et al. 2017). Only what was found has a score; a score is the probability that a careful annotator
    says the same: the type of a mention, the value that evidence states for its product, the grade of a product.
    """
    kinds = {kind} if kind else set(SCORED)
    scored = [
        (float(item["score"]), bool(item["right"]))
        for item in items
        if item["kind"] in kinds and item.get("score") is not None
    ]
    if not scored:
        return 0.0, []
    parts: dict[int, list[tuple[float, bool]]] = {}
    for score, right in scored:
        parts.setdefault(min(bins - 1, int(score * bins)), []).append((score, right))
    table = [
        (sum(s for s, _ in part) / len(part), sum(r for _, r in part) / len(part), len(part))
        for _, part in sorted(parts.items())
    ]
    return sum(abs(said - was) * n for said, was, n in table) / len(scored), table


# --- for a person ---------------------------------------------------------------------------------------------------


def page(items: Sequence[Item], show: int = 0) -> str:
    """The figures as a page: counts, ratios, each layout, slots, confusions, and ``show`` wrong items of each kind."""
    import pandas

    result = figures(items)
    named = (("mentions", "mentions"), ("gradable claims", "gradable_claims"), ("products", "products"))
    named += (("slots stated", "slots_stated"), ("flags", "flags"))  # type: ignore[assignment]
    table = pandas.DataFrame({label: result[key] for label, key in named}).T
    counts = table[["gold", "found", "both"]].astype(int)
    parts = [
        f"{result['documents']} documents, {result['readings']} readings",
        counts.to_string(),
        _rounded(table[["precision", "recall", "f1"]]).to_string(),
    ]
    ratios = {label.replace("_", " "): result[label] for label in _RATIOS}
    quotes = result["quotes"]
    ratios |= {f"evidence quotes, {key.replace('_', ' ')}": quotes[key] for key in _QUOTES}
    parts.append(
        "\n".join(f"{label:<34}{'-' if value is None else f'{value:.3f}'}" for label, value in ratios.items())
        + f"\n(out of {result['on_scale_pairs']} pairs on the scale, {result['ceilings']} gold ceilings,"
        f" {result['proxy_grades']} gold proxy grades, {quotes['gold']} gold quotes)"
    )
    spread = intervals(items)
    parts.append(
        "95% bootstrap intervals, drawing documents\n"
        + "\n".join(f"{n:<34}{v:.3f}  ({spread[n][0]:.3f} to {spread[n][1]:.3f})" for n, v in headlines(items).items())
    )
    errors = {kind or "all": calibration(items, kind)[0] for kind in ("", *SCORED)}
    parts.append("\n".join(f"{f'calibration error, {kind}':<34}{error:.3f}" for kind, error in errors.items()))
    layouts = sorted({item["layout"] for item in items})
    if len(layouts) > 1:
        rows = {name: _short(figures([item for item in items if item["layout"] == name])) for name in layouts}
        parts.append(_rounded(pandas.DataFrame(rows).T).to_string())
    registers = by_register(items)
    if len(registers) > 1:
        parts.append("by register\n" + _rounded(registers).to_string())
    parts.append(_rounded(pandas.DataFrame(result["slots"]).T).to_string())
    if result["type_confusions"]:
        parts.append("types confused (gold, found, times)")
        parts[-1] += "".join(
            f"\n  {gold:<12} {found:<12} {times}" for gold, found, times in result["type_confusions"][:12]
        )
    for kind in ("mention", "product", "ceiling", "slot", "flag", "quote") if show else ():
        wrong = [item for item in items if item["kind"] == kind and not item["right"]][:show]
        if wrong:
            parts.append(f"wrong: {kind}\n" + "\n".join(_line(item) for item in wrong))
    return "\n\n".join(parts)


SCORED = ("mention", "evidence", "product")
_RATIOS = (
    "type_accuracy",
    "type_kappa",
    "grade_exact",
    "grade_within_one",
    "grade_kappa_quadratic",
    "band",
    "ceiling_exact",
    "proxy_grade_exact",
    "slot_value_given_both",
    "links_given_gold_ends",
)
_QUOTES = ("same_slot", "any_slot", "read", "placed")


def _short(result: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        "mention f1": result["mentions"]["f1"],
        "type": result["type_accuracy"],
        "claim f1": result["gradable_claims"]["f1"],
        "grade": result["grade_exact"],
        "slot f1": result["slots_stated"]["f1"],
        "quote": result["quotes"]["same_slot"],
        "read": result["quotes"]["read"],
        "placed": result["quotes"]["placed"],
    }


def _rounded(table: pandas.DataFrame) -> pandas.DataFrame:
    return table.astype(float).round(3)


def _line(item: Item) -> str:
    return f"  {item['document']} {item['layout']} {item['id']}: {item['gold']} -> {item['found']}  {item.get('note', '')[:90]!r}"


def compare(before: Sequence[Item], after: Sequence[Item], listed: bool = True) -> str:
    """Gains and losses item by item. An extra finding is an item of one run only: new ones are losses, gone ones
    gains. ``listed``: each of them on a line of its own, after the counts by kind."""

    def keyed(items: Sequence[Item]) -> dict[tuple[str, ...], Item]:
        return {(i["document"], i["layout"], i["kind"], i["id"]): i for i in items}

    old, new = keyed(before), keyed(after)
    read_twice = {key[:2] for key in old} & {key[:2] for key in new}
    lines: dict[bool, list[str]] = {True: [], False: []}
    kinds: dict[str, dict[bool, int]] = {}
    for key in sorted(old.keys() | new.keys()):
        if key[:2] not in read_twice:
            continue
        was = old[key]["right"] if key in old else True
        now = new[key]["right"] if key in new else True
        if was != now:
            lines[now].append(f"  {key[2]:<9}{_line(new.get(key) or old[key])}")
            kinds.setdefault(key[2], {True: 0, False: 0})[now] += 1
    parts = [f"{len(lines[True])} gained, {len(lines[False])} lost, over {len(read_twice)} readings in both runs"]
    parts += [f"  {kind:<9} {n[True]} gained, {n[False]} lost" for kind, n in sorted(kinds.items())]
    for now, name in ((True, "gained"), (False, "lost")) if listed else ():
        parts += ["", name, *lines[now]] if lines[now] else []
    return "\n".join(parts)
