"""A study as one archive that another team can run again to the same bytes, and the check that it does.

The archive holds the study folder, the codebook's tables, the exact versions of every package, a manifest of all files with
their SHA-256, and a script that makes the results again in another place and compares them. Its own bytes do not depend on
when or where it is made.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files

from claimscan import __version__, codebook
from claimscan.study import results
from claimscan.study.folder import Study

MANIFEST = "MANIFEST.sha256"
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_TEXTS = "documents/"
_EXTRAS = ("study",)


@dataclass(frozen=True, slots=True)
class Checked:
    """What running an archive again showed.

    Attributes:
        same: result files with the same bytes. ``different``: those with other bytes or that were not made again.
        new: result files that the archive does not have.
        damaged: files of the archive that are not as its manifest has them.
        packages: packages whose version here is another: name, version there, version here.
    """

    same: tuple[str, ...]
    different: tuple[str, ...]
    new: tuple[str, ...]
    damaged: tuple[str, ...]
    packages: tuple[tuple[str, str, str], ...]

    @property
    def whole(self) -> bool:
        return bool(self.same) and not (self.different or self.new or self.damaged)


def archive(study: Study, path: str, *, texts: bool = True) -> list[str]:
    """Write the archive. Returns the names in it.

    Args:
        texts: with the documents' texts and reports. Without, the results are made again from the tables of ratings and counts.
    """
    content: dict[str, bytes] = {}
    for name in _names(study.folder):
        if texts or not name.startswith(_TEXTS):
            with open(study.path(*name.split("/")), "rb") as file:
                content[f"study/{name}"] = file.read()
    for name in codebook.FILES:
        content[f"codebook/{name}"] = (files("claimscan") / "data" / "codebook" / name).read_bytes()
    content["environment.txt"] = "".join(f"{n}=={v}\n" for n, v in sorted(packages().items())).encode()
    content["python.txt"] = f"{platform.python_implementation()} {platform.python_version()}\n".encode()
    for name in ("reproduce.py", "README.txt"):
        text = (files("claimscan") / "data" / "study" / "archive" / name).read_text(encoding="utf-8")
        content[name] = text.replace("{version}", __version__).replace("{title}", str(study.about["title"])).encode()
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(content.items())]
    content[MANIFEST] = "".join(lines).encode()
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), suffix=".part")
    os.close(handle)
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for name, data in sorted(content.items()):
                entry = zipfile.ZipInfo(name, _DATE)
                entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
                out.writestr(entry, data)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return sorted(content)


def check(folder: str) -> Checked:
    """Make the results of an unpacked archive again, in another place, and compare them. Nothing in the folder is changed.

    Raises:
        UsageError: there is no study in the folder.
    """
    said = manifest(folder)
    damaged = tuple(name for name, digest in said.items() if _digest(os.path.join(folder, *name.split("/"))) != digest)
    with tempfile.TemporaryDirectory() as temporary:
        copy = os.path.join(temporary, "study")
        shutil.copytree(os.path.join(folder, "study"), copy)
        study = Study(copy)
        before = {name: _digest(study.path(*name.split("/"))) for name in _results(copy)}
        results.again(study)
        after = {name: _digest(study.path(*name.split("/"))) for name in _results(copy)}
    return Checked(
        tuple(name for name in before if before[name] == after.get(name)),
        tuple(name for name in before if before[name] != after.get(name)),
        tuple(name for name in after if name not in before),
        damaged,
        tuple(_other_packages(os.path.join(folder, "environment.txt"))),
    )


def manifest(folder: str) -> Mapping[str, str]:
    """The SHA-256 of each file of an unpacked archive, as it was packed."""
    with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
        return {name: digest for digest, name in (line.rstrip("\n").split("  ", 1) for line in file)}


def packages() -> dict[str, str]:
    """claimscan and every installed package that it needs for a study, with their exact versions."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    open_: list[tuple[str, tuple[str, ...]]] = [("claimscan", _EXTRAS)]
    while open_:
        name, extras = open_.pop()
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue
        if one.name.lower() in found:
            continue
        found[one.name.lower()] = one.version
        for text in one.requires or ():
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                open_.append((needed.name, tuple(needed.extras)))
    return found


def _other_packages(path: str) -> Iterator[tuple[str, str, str]]:
    here = packages()
    with open(path, encoding="utf-8") as file:
        for name, _, version in (line.strip().partition("==") for line in file):
            if here.get(name) != version:
                yield name, version, here.get(name, "not installed")


def _names(folder: str) -> list[str]:
    found = []
    for where, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(where, name), folder).replace(os.sep, "/") for name in names]
    return sorted(name for name in found if not os.path.basename(name).startswith("."))


def _results(folder: str) -> list[str]:
    return [name for name in _names(folder) if name.startswith("results/")]


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
