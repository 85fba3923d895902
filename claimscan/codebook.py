"""The one place that loads the codebook's tables: codes, levels, caps, statuses, flags, questions and the crosswalk.

The tables are TOML under ``claimscan/data/codebook``. A researcher changes a table, not code. Everything is
checked when it is loaded: an unknown key, a code that ``codes.toml`` does not list, or an id used twice raises
:class:`RuleError`.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from claimscan.errors import RuleError

VERSION = "1.1"
FILES = ("codes.toml", "levels.toml", "flags.toml", "questions.toml", "crosswalk.toml")
STATUSES = ("N0", "N1", "N2", "O", "P", "X")
LEVELS = ("1", "2", "3", "4", "5", "6")
MENTION_TYPES = (
    "DOC_DONE",
    "OTHER_DONE",
    "PRACTICE",
    "COMMIT",
    "PRINCIPLE",
    "DUTY",
    "NAME",
    "OTHER_SENSE",
    "NEGATED",
    "REPORTED",
)  # section 1
CLAIM_TYPES = ("DOC_DONE", "OTHER_DONE", "PRACTICE")  # types of mention that are graded (section 1)
# The tests that levels and caps may ask for; grading.tests computes them.
TESTS = frozenset(
    "single power end group_changed_it edited_alone presentation "
    "asked repeated early early_or_changed changed_strongly shared through".split()
)
# The tests that flags may ask for; grading computes them too.
FLAG_TESTS = frozenset(
    "payment_open proxies_alone one_person outnumbered end_stages_only gave_input vague_count core_term "
    "presentation_of_a_whole paid reasons_given".split()
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One evidence slot (codebook section 2). ``values`` run from weakest to strongest (E26)."""

    name: str
    many: bool
    values: tuple[str, ...]
    open: frozenset[str] = frozenset()
    shows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Level:
    id: str
    label: str
    band: str
    plain: str
    supports: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    id: str
    label: str
    plain: str
    text: str


@dataclass(frozen=True, slots=True)
class Cap:
    rule: str
    level: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    of: str
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """The plain words and rule for each value of one input of the depth function (``rules`` where values differ)."""

    name: str
    rule: str
    texts: Mapping[str, str]
    rules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FlagRule:
    code: str
    kind: str
    asks: str
    plain: str
    when: Mapping[str, tuple[str, ...]]
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unstated: tuple[str, ...] = ()
    grades: frozenset[str] | None = None
    plain_some: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """One question of codebook 5.1. ``slot`` is empty for the two that no slot opens."""

    gap: str
    slot: str
    ask: str
    record: str
    needs: str
    flags: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tables:
    """Every table, checked. ``digest`` is the SHA-256 of the table files, for the provenance."""

    slots: Mapping[str, Slot]
    who: tuple[str, ...]
    units: tuple[str, ...]
    levels: tuple[Level, ...]
    statuses: Mapping[str, Status]
    caps: tuple[Cap, ...]
    facts: Mapping[str, Fact]
    flags: tuple[FlagRule, ...]
    gaps: tuple[Gap, ...]
    needs: Mapping[str, str]
    crosswalk: Mapping[str, Mapping[str, str]]
    digest: str = ""


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The tables of this version of claimscan, loaded and checked once.

    Raises:
        RuleError: a table is wrong.
    """
    folder = files("claimscan") / "data" / "codebook"
    return load({name: (folder / name).read_text(encoding="utf-8") for name in FILES})


def of_folder(folder: str) -> Tables:
    """A user's own tables: the files of a folder in the place of claimscan's; those that it does not have stay claimscan's.

    Raises:
        RuleError: the folder has none of the files, or one is wrong or cannot be read.
    """
    own = {name: os.path.join(folder, name) for name in FILES if os.path.isfile(os.path.join(folder, name))}
    if not own:
        raise RuleError(f"{folder} has none of the codebook's tables: {', '.join(FILES)}.")
    texts = {name: (files("claimscan") / "data" / "codebook" / name).read_text(encoding="utf-8") for name in FILES}
    for name, path in own.items():
        try:
            with open(path, encoding="utf-8-sig") as file:
                texts[name] = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise RuleError(f"{path} cannot be read.") from error
    return load(texts)


def load(texts: Mapping[str, str]) -> Tables:
    """Tables from the text of the five files, by file name.

    Raises:
        RuleError: bad TOML, a missing file, an unknown key or code, or an id used twice.
    """
    raw: dict[str, dict[str, Any]] = {}
    for name in FILES:
        if name not in texts:
            raise RuleError(f"The codebook table {name} is missing.")
        try:
            raw[name] = tomllib.loads(texts[name])
        except tomllib.TOMLDecodeError as error:
            raise RuleError(f"{name} is not valid TOML: {error}.") from error
    codes, levels, flags, asks = (raw[name] for name in FILES[:4])
    _keys("codes.toml", codes, {"slots", "who", "count_units"})
    _keys("levels.toml", levels, {"level", "status", "cap", "fact"})
    _keys("flags.toml", flags, {"flag"})
    _keys("questions.toml", asks, {"question", "needs"})
    slots = {name: _slot(name, row) for name, row in codes["slots"].items()}
    table = Tables(
        slots=slots,
        who=tuple(codes["who"]["values"]),
        units=tuple(codes["count_units"]["values"]),
        levels=_rows("levels.toml", levels["level"], Level, "id"),
        statuses={row.id: row for row in _rows("levels.toml", levels["status"], Status, "id")},
        caps=_rows("levels.toml", levels["cap"], Cap, ""),
        facts={row.name: row for row in _rows("levels.toml", levels["fact"], Fact, "name")},
        flags=_rows("flags.toml", flags["flag"], FlagRule, "code"),
        gaps=_rows("questions.toml", asks["question"], Gap, "gap"),
        needs=asks["needs"],
        crosswalk=raw["crosswalk.toml"],
        digest=hashlib.sha256("\0".join(texts[name] for name in FILES).encode()).hexdigest(),
    )
    _check(table)
    return table


def check_value(table: Tables, slot: str, value: str, where: str) -> None:
    """Raise :class:`RuleError` unless ``codes.toml`` lists this slot and value. A count may also be a number."""
    if slot not in table.slots:
        raise RuleError(f"{where} names an unknown slot: {slot}.")
    if value not in table.slots[slot].values and not (slot == "count" and value.isdigit()):
        raise RuleError(f"{where} gives the slot {slot} an unknown value: {value}.")


def _keys(where: str, row: Mapping[str, Any], allowed: set[str], required: set[str] | None = None) -> None:
    unknown = sorted(row.keys() - allowed)
    missing = sorted((allowed if required is None else required) - row.keys())
    if unknown:
        raise RuleError(f"{where} has an unknown key: {', '.join(unknown)}.")
    if missing:
        raise RuleError(f"{where} lacks a key: {', '.join(missing)}.")


def _slot(name: str, row: Mapping[str, Any]) -> Slot:
    where = f"codes.toml, slot {name}"
    _keys(where, row, {"takes", "values", "open", "shows"}, {"takes", "values"})
    values = tuple(row["values"])
    if row["takes"] not in ("one", "many"):
        raise RuleError(f"{where}: takes must be 'one' or 'many'.")
    if len(set(values)) < len(values):
        raise RuleError(f"{where} lists a value twice.")
    shows, still_open = row.get("shows", {}), frozenset(row.get("open", ()))
    strange = sorted((shows.keys() | still_open) - set(values)) + sorted(
        set(shows.values()) - {"wrote", "asked", "seat", "late"}
    )
    if strange:
        raise RuleError(f"{where} uses unknown codes: {', '.join(strange)}.")
    return Slot(name, row["takes"] == "many", values, still_open, shows)


def _rows(where: str, rows: Sequence[Mapping[str, Any]], kind: type[Any], key: str) -> tuple[Any, ...]:
    """Records of ``kind`` from table rows: lists become tuples, or frozensets where the record wants them."""
    fields = kind.__dataclass_fields__
    required = {name for name, f in fields.items() if f.default is MISSING and f.default_factory is MISSING}
    seen: set[str] = set()
    out = []
    for row in rows:
        _keys(f"{where}, {row.get(key, kind.__name__)}", row, set(fields), required)
        if key and row[key] in seen:
            raise RuleError(f"{where} uses the id {row[key]} twice.")
        seen.add(row.get(key, ""))
        out.append(kind(**{name: _frozen(value, fields[name].type) for name, value in row.items()}))
    return tuple(out)


def _frozen(value: Any, annotation: str) -> Any:
    if isinstance(value, list):
        return frozenset(value) if annotation.startswith("frozenset") else tuple(value)
    if isinstance(value, dict):
        return {key: tuple(v) if isinstance(v, list) else v for key, v in value.items()}
    return value


def _check(table: Tables) -> None:
    """The codes that one table uses and another defines."""
    if tuple(level.id for level in table.levels) != LEVELS or tuple(table.statuses) != STATUSES:
        raise RuleError(
            "levels.toml must list the levels 1 to 6 and the statuses N0, N1, N2, O, P and X, in that order."
        )
    grades = set(LEVELS) | set(STATUSES)
    for level in table.levels:
        _known(f"levels.toml, level {level.id}", level.needs, TESTS)
    for cap in table.caps:
        _known(f"levels.toml, cap {cap.rule}", cap.when + cap.unless, TESTS)
        _known(f"levels.toml, cap {cap.rule}", (cap.level,), grades)
        _known(f"levels.toml, cap {cap.rule}", (cap.of,), {"grade", "ceiling"})
    codes = {flag.code for flag in table.flags}
    for flag in table.flags:
        where = f"flags.toml, {flag.code}"
        _known(where, (flag.kind,), {"concern", "ask", "credit"})
        _known(where, flag.grades or (), grades)
        _known(where, flag.unstated, table.slots)
        for name, values in (*flag.when.items(), *flag.unless.items()):
            if name == "grade":
                _known(where, values, grades)
            elif name == "test":
                _known(where, values, FLAG_TESTS)
            else:
                for value in values:
                    check_value(table, name, value, where)
    for gap in table.gaps:
        where = f"questions.toml, {gap.gap}"
        _known(where, gap.flags, codes)
        _known(where, gap.grades, grades)
        _known(where, (gap.slot,) if gap.slot else (), table.slots)
    for key in table.needs:
        slot, _, value = key.partition(".")
        _known("questions.toml, needs", (slot,), table.slots)
        if value:
            check_value(table, slot, value, "questions.toml, needs")
    _known("crosswalk.toml", table.crosswalk, set(LEVELS))


def _known(where: str, used: Any, known: Any) -> None:
    unknown = sorted(set(used) - set(known))
    if unknown:
        raise RuleError(f"{where} uses unknown codes: {', '.join(unknown)}.")
