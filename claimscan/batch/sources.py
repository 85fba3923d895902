"""What a run reads: folders, files, patterns, lists with metadata, zip files and addresses become a plan.

The order of a plan depends only on what was asked for and on names, so that two runs over the same files agree.
"""

from __future__ import annotations

import csv
import glob
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from claimscan.errors import (
    ClaimscanError,
    DamagedDocument,
    EncryptedDocument,
    LimitExceeded,
    MissingDocument,
    UsageError,
)
from claimscan.records import Settings

SUFFIXES = frozenset(".pdf .docx .docm .html .htm .xhtml .md .markdown .txt .text".split())
PATHS = ("path", "file", "document", "filename", "source", "url")  # headings of a list's column of paths
MEMBERS = 5_000  # files taken from one zip file
RATIO = 1_000  # how much smaller than itself a zip file may have made a member; text reaches about 20
_SPREADSHEET = 20_000_000  # bytes of a list


class Source(NamedTuple):
    """One file to read.

    Attributes:
        name: as it is shown; always valid Unicode.
        path: what is opened: a path or an address.
        member: place of the file in its zip file, or -1.
        metadata: values of :attr:`Plan.metadata`, in that order.
    """

    name: str
    path: str
    member: int = -1
    metadata: tuple[str, ...] = ()


class Problem(NamedTuple):
    """A place that was looked at and holds nothing to read; ``error`` says why."""

    source: Source
    error: ClaimscanError


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run reads, in order; what it could not even open; and files passed over as no kind of document."""

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    passed: tuple[tuple[str, str], ...]
    metadata: tuple[str, ...] = ()


def plan(inputs: Sequence[str], *, out: str = "", taken: Sequence[str] = (), settings: Settings | None = None) -> Plan:
    """Find the files that ``inputs`` name.

    Args:
        inputs: folders, files, patterns such as ``docs/**/*.pdf``, ``.csv`` lists, ``.zip`` files, or addresses that
            fsspec knows (``s3://…``). A list needs a column of paths (:data:`PATHS`), relative to the list's own folder;
            each other column is metadata.
        out: the run folder, which is never read from.
        taken: names of columns that metadata may not have; one that does gets ``given_`` in front.
        settings: bounds on a file's size.

    Raises:
        UsageError: an input names nothing, or a list has no column of paths.
    """
    finder = _Finder(os.path.realpath(out) if out else "", settings or Settings())
    for one in inputs:
        if one.lower().endswith(".csv") and "://" not in one:
            finder.listed_in(one)
        else:
            finder.take(one, {})
    columns: dict[str, str] = {}
    used = {name.casefold() for name in taken}
    for found in finder.metadata.values():
        for column in found:
            if column not in columns:
                name = column
                while name.casefold() in used:  # databases and spreadsheets do not tell capitals apart
                    name = f"given_{name}"
                used.add(name.casefold())
                columns[column] = name
    rows = {key: tuple(found.get(c, "") for c in columns) for key, found in finder.metadata.items()}
    nothing = ("",) * len(columns)
    sources = tuple(s._replace(metadata=rows.get(key, nothing)) for key, s in finder.sources.items())
    problems = tuple(Problem(p.source._replace(metadata=rows.get(key, nothing)), p.error) for key, p in finder.problems)
    return Plan(sources, problems, tuple(finder.passed), tuple(columns.values()))


class _Finder:
    def __init__(self, out: str, settings: Settings) -> None:
        self.sources: dict[tuple[str, int], Source] = {}
        self.problems: list[tuple[tuple[str, int], Problem]] = []
        self.passed: list[tuple[str, str]] = []
        self.metadata: dict[tuple[str, int], dict[str, str]] = {}
        self._out = out
        self._settings = settings

    def take(self, path: str, about: Mapping[str, str], listed: bool = False) -> None:
        if "://" in path:
            return self._addresses(path, about, listed)
        if os.path.isdir(path):
            return self._folder(path, about)
        if os.path.lexists(path):
            return self._file(path, path, about)
        found = _fitting(path) if glob.has_magic(path) else []
        for one in found:
            self.take(one, about)
        if not found and listed:
            self._problem(path, MissingDocument(f"There is no file called {shown(path)}."), about)
        elif not found:
            raise UsageError(f"There is no file or folder called {shown(path)}.", "Check the spelling of the name.")

    def listed_in(self, path: str) -> None:
        """A list of files with what is known about each."""
        from claimscan.reading.decoding import decode

        try:
            if os.path.getsize(path) > _SPREADSHEET:
                raise UsageError(f"{shown(path)} is too large for a list of files.", "Split it into several lists.")
            with open(path, "rb") as file:
                text, _ = decode(file.read(), path)
        except OSError as error:
            raise UsageError(f"{shown(path)} cannot be opened: {error.strerror}.", "Check its name.") from None
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        try:
            headings = [heading.strip() for heading in next(lines, [])]
            named = [heading.casefold() for heading in headings if heading]
            twice = next((heading for heading in named if named.count(heading) > 1), "")
            if twice:
                raise UsageError(f"{shown(path)} has two columns headed “{twice}”.", "Give each a heading of its own.")
            column = next((name for name in PATHS if name in named), "")
            if not column:
                raise UsageError(
                    f"{shown(path)} has no column of paths.",
                    f"Head one of its columns “{PATHS[0]}”, one file in each row.",
                )
            for row in lines:
                if len(row) > len(headings):
                    raise UsageError(
                        f"{shown(path)} has more cells than headings in line {lines.line_num}.",
                        "Put words that hold a comma in double quotes.",
                    )
                cells = {h: cell.strip() for h, cell in zip(headings, row, strict=False) if h}
                where = next((cell for h, cell in cells.items() if h.casefold() == column), "")
                if where:
                    about = {h: cell for h, cell in cells.items() if h.casefold() != column}
                    if "://" not in where:
                        where = os.path.join(os.path.dirname(path), where)
                    self.take(where, about, listed=True)
        except csv.Error as error:
            raise UsageError(
                f"{shown(path)} is not a whole table: {error} (line {lines.line_num}).",
                "Look for a quotation mark that is not closed, and save the list as CSV again.",
            ) from None

    # --- what is found ---

    def _add(self, source: Source, about: Mapping[str, str], key: str = "") -> None:
        where = (key or os.path.realpath(source.path), source.member)
        self.sources.setdefault(where, source)
        known = self.metadata.setdefault(where, {}) if about else {}
        for heading, value in about.items():  # a document of two bodies may be listed for each
            both = known.get(heading, "").split("; ")
            known[heading] = "; ".join([*filter(None, both), *([value] if value and value not in both else [])])

    def _problem(self, path: str, error: ClaimscanError, about: Mapping[str, str], name: str = "") -> None:
        where = (f"problem {len(self.problems)}", -1)
        self.problems.append((where, Problem(Source(name or shown(path), path), error)))
        if about:
            self.metadata[where] = dict(about)

    def _folder(self, top: str, about: Mapping[str, str]) -> None:
        seen: set[tuple[int, int]] = set()
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            if self._out and os.path.realpath(folder) == self._out:
                continue
            try:
                state = os.stat(folder)
                if state.st_ino and (state.st_dev, state.st_ino) in seen:
                    self.passed.append((shown(folder), "a link to a folder that was already looked through"))
                    continue
                seen.add((state.st_dev, state.st_ino))
                if folder != top and os.path.exists(os.path.join(folder, "ledger.jsonl")):
                    self.passed.append((shown(folder), "the folder of a run"))
                    continue
                with os.scandir(folder) as entries:
                    found = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                why = f"The folder {shown(folder)} cannot be opened: {error.strerror}."
                self._problem(folder, MissingDocument(why, "Ask for the right to read it."), about)
                continue
            below = []
            for entry in found:
                if _is_folder(entry):
                    below.append(entry.path)
                else:
                    self._file(entry.path, entry.path, about, named=False)
            waiting.extend(reversed(below))

    def _file(self, path: str, name: str, about: Mapping[str, str], named: bool = True) -> None:
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            why = "the link leads nowhere" if os.path.islink(path) else error.strerror
            return self._problem(path, MissingDocument(f"{shown(path)} cannot be opened: {why}."), about)
        if not stat.S_ISREG(mode):
            self.passed.append((shown(path), "not an ordinary file"))
        elif path.lower().endswith(".zip"):
            self._zip(path, about)
        elif named or os.path.splitext(path)[1].lower() in SUFFIXES or _begins_as_pdf(path):
            self._add(Source(shown(name), path), about)
        else:
            self.passed.append((shown(path), "not a kind of document that claimscan reads"))

    def _zip(self, path: str, about: Mapping[str, str]) -> None:
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except OSError as error:
            why = f"{shown(path)} cannot be opened: {error.strerror or 'it is damaged'}."
            return self._problem(path, MissingDocument(why), about)
        except Exception:  # zipfile lets whatever a damaged file leads to through
            return self._problem(path, DamagedDocument(f"{shown(path)} is not a whole zip file."), about)
        if len(members) > MEMBERS:
            why = f"{shown(path)} holds {len(members):,} files; at most {MEMBERS:,} are read from one zip file."
            return self._problem(path, LimitExceeded(why, "Unpack it and scan the folder."), about)
        order = sorted(range(len(members)), key=lambda at: (members[at].filename, at))
        for at in order:
            member, name = members[at], f"{shown(path)}/{shown(members[at].filename)}"
            if member.is_dir():
                continue
            if os.path.splitext(member.filename)[1].lower() not in SUFFIXES:
                self.passed.append((name, "not a kind of document that claimscan reads"))
            elif member.flag_bits & 1:
                self._problem(path, EncryptedDocument(f"{name} is protected with a password."), about, name)
            elif member.file_size > min(self._settings.max_bytes, RATIO * max(1000, member.compress_size)):
                self._problem(path, LimitExceeded(f"{name} is too large once unpacked."), about, name)
            else:
                self._add(Source(name, path, at), about)

    def _addresses(self, address: str, about: Mapping[str, str], listed: bool) -> None:
        try:
            found, filesystem = self._at(address)
        except UsageError as error:
            if not listed:
                raise
            return self._problem(address, MissingDocument(str(error), error.remedy), about)
        for path in found:
            whole = filesystem.unstrip_protocol(path)
            if len(found) == 1 or os.path.splitext(path)[1].lower() in SUFFIXES:
                self._add(Source(shown(whole), whole), about, key=whole)
            else:
                self.passed.append((shown(whole), "not a kind of document that claimscan reads"))

    def _at(self, address: str) -> tuple[list[str], Any]:
        filesystem, root = _remote(address)
        try:
            if glob.has_magic(root):
                found = sorted(filesystem.glob(root))
            elif filesystem.isdir(root):
                found = sorted(filesystem.find(root))
            elif filesystem.exists(root):
                found = [root]
            else:
                found = []
        except Exception as error:  # each storage has errors of its own
            raise UsageError(
                f"{shown(address)} cannot be listed: {error}.", "Check the address and your rights."
            ) from None
        if not found:
            raise UsageError(f"There is nothing at {shown(address)}.", "Check the address.")
        return found, filesystem


# --- opening --------------------------------------------------------------------------------------------------------


def read(source: Source, settings: Settings) -> bytes:
    """The bytes of one source, at most ``settings.max_bytes``.

    Raises:
        MissingDocument: it cannot be opened. LimitExceeded: it is larger than the limit. DamagedDocument: its zip file is.
        EncryptedDocument: its zip file is.
    """
    parts = [b""]
    each(source, settings, parts.append)
    return b"".join(parts)


def each(source: Source, settings: Settings, take: Callable[[bytes], Any]) -> None:
    """Give the bytes of a source to ``take``, a piece at a time. Raises as :func:`read`."""
    taken = 0
    try:
        if source.member < 0 and "://" not in source.path and os.path.getsize(source.path) > settings.max_bytes:
            taken = settings.max_bytes
        for piece in _pieces(source):
            taken += len(piece)
            if taken > settings.max_bytes:
                raise LimitExceeded(
                    f"{source.name} is larger than the limit of {settings.max_bytes // 1_000_000:,} MB."
                )
            take(piece)
    except ClaimscanError:
        raise
    except FileNotFoundError:
        raise MissingDocument(f"There is no file called {source.name}.") from None
    except MemoryError:
        raise
    except Exception as error:  # a storage's own errors, and whatever zipfile lets through
        if source.member >= 0 and not isinstance(error, OSError):
            raise DamagedDocument(f"{source.name} cannot be unpacked: its zip file is damaged.") from None
        reason = getattr(error, "strerror", None) or type(error).__name__
        remedy = "Ask for the right to read it." if isinstance(error, PermissionError) else ""
        raise MissingDocument(f"{source.name} cannot be opened: {reason}.", remedy) from None


def _pieces(source: Source) -> Iterator[bytes]:
    if source.member >= 0:
        with zipfile.ZipFile(source.path) as archive, archive.open(archive.infolist()[source.member]) as file:
            yield from _chunks(file)
    elif "://" in source.path:
        filesystem, root = _remote(source.path)
        with filesystem.open(root, "rb") as file:
            yield from _chunks(file)
    else:
        with open(source.path, "rb") as file:
            yield from _chunks(file)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(1 << 20):
        yield piece


def place(source: Source) -> str:
    """What tells a source from all others: its path or address, and its place in a zip file."""
    return source.path if source.member < 0 else f"{source.path}\0{source.member}"


def marks(source: Source) -> tuple[int, int]:
    """What would change if the file did: its size, and when it was last written in nanoseconds; noughts if not known."""
    if "://" in source.path:
        return 0, 0
    try:
        state = os.stat(source.path)
    except OSError:
        return 0, 0
    return state.st_size, state.st_mtime_ns


def _remote(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise UsageError("Addresses need the cluster extra.", "Run: pip install 'claimscan[cluster]'.") from None
    if any(part.split("://", 1)[0].lower() in ("http", "https", "ftp", "") for part in address.split("::")):
        raise UsageError(f"claimscan does not fetch web pages ({shown(address)}).", "Download the documents first.")
    try:
        filesystem, root = fsspec.core.url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise UsageError(f"{shown(address)} cannot be reached: {error}.", "Check the address.") from None
    return filesystem, root


def _delimiter(text: str) -> str:
    """The mark between cells: of comma, semicolon and tab the one that the line of headings has most of."""
    heading = text.lstrip().split("\n", 1)[0]
    return max(",;\t", key=heading.count)


def _fitting(pattern: str) -> list[str]:
    """Paths that fit a pattern; ``**`` is any depth of folders, and does not follow links, which may lead in circles."""
    if "**" not in pattern:
        return sorted(glob.glob(pattern))
    root = Path(pattern).anchor
    return sorted(map(str, Path(root).glob(os.path.relpath(pattern, root) if root else pattern)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _begins_as_pdf(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"%PDF-" in file.read(1024)
    except OSError:
        return False


def shown(path: str) -> str:
    """The path as text that any file format can hold: bytes that are no letters become a mark."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace(os.sep, "/")
