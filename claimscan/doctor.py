"""What is installed, which versions of the model and rules are used, and what is missing and how to get it."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from claimscan import __version__
from claimscan.errors import ClaimscanError

# Package, what it is for, and the extra that brings it ("" where it comes with claimscan).
PARTS: tuple[tuple[str, str, str], ...] = (
    ("pypdfium2", "reads PDF pages and makes pictures of them", ""),
    ("pdfplumber", "reads tables in PDFs", ""),
    ("python-docx", "reads Word documents", ""),
    ("lxml", "reads Word documents", ""),
    ("selectolax", "reads web pages", ""),
    ("markdown-it-py", "reads Markdown", ""),
    ("ahocorasick_rs", "finds many words at once", ""),
    ("spacy", "works out how sentences are built", ""),
    ("Jinja2", "makes the web page", ""),
    ("pillow", "cuts out pictures of pages", ""),
    ("pandas", "makes tables in Python", ""),
    ("pebble", "keeps the workers of a scan", ""),
    ("filelock", "keeps two scans out of one folder", ""),
    ("pyarrow", "writes tables as Parquet", ""),
    ("openpyxl", "writes and reads right-of-reply sheets", ""),
    ("rapidfuzz", "pairs what two versions say", ""),
    ("rich", "shows how far a scan is", ""),
    ("distributed", "hands a scan to a cluster", "cluster"),
    ("pytesseract", "reads pages that are pictures", "ocr"),
    ("scipy", "works out intervals of a study", "study"),
    ("matplotlib", "draws the figures of a study", "study"),
    ("dkpro-cassis", "writes and reads INCEpTION's files", "study"),
    ("scikit-learn", "takes what documents show into models", "study"),
)


_REINSTALL = "pip install --force-reinstall claimscan"


def examine() -> dict[str, Any]:
    """Everything ``claimscan doctor`` says, as plain values.

    Returns:
        ``ready`` (nothing that reading needs is missing), ``claimscan``, ``python``, ``system``, ``packages`` (name,
        version or None, purpose, extra), ``model`` (name, version, sha256), ``rules`` (codebook, lexicons), ``ocr``
        (ready, tesseract, languages) and ``missing`` (what, and the remedy). Importing nothing heavy, it takes well
        under a second.
    """
    packages = [
        {"name": name, "version": _version(name), "purpose": purpose, "extra": extra} for name, purpose, extra in PARTS
    ]
    missing = [
        {"what": f"{p['name']} ({p['purpose']})", "remedy": f"pip install {_pip(p)}", "needed": not p["extra"]}
        for p in packages
        if p["version"] is None
    ]
    model = _model()
    if model["problem"]:
        missing.append({"what": f"the language model: {model['problem']}", "remedy": model["remedy"], "needed": True})
    rules = _rules()
    if rules["problem"]:
        missing.append({"what": f"the rules: {rules['problem']}", "remedy": rules["remedy"], "needed": True})
    ocr = _ocr()
    if ocr["tesseract"] is None:
        missing.append(
            {
                "what": "the program tesseract (reads pages that are pictures)",
                "remedy": "install tesseract-ocr as your system installs programs, then: pip install 'claimscan[ocr]'",
                "needed": False,
            }
        )
    return {
        "ready": not any(m["needed"] for m in missing),
        "claimscan": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "packages": packages,
        "model": {k: v for k, v in model.items() if k != "remedy"},
        "rules": {k: v for k, v in rules.items() if k != "remedy"},
        "ocr": ocr,
        "missing": missing,
    }


def to_json(state: Mapping[str, Any]) -> str:
    return json.dumps(state, ensure_ascii=False, indent=1) + "\n"


def to_text(state: Mapping[str, Any]) -> str:
    """The state for a person, about thirty short lines."""
    lines = [
        f"claimscan {state['claimscan']}, Python {state['python']} on {state['system']}",
        "Everything that reading needs is here." if state["ready"] else "Something that reading needs is missing.",
        "",
        "Rules",
        f"  codebook        {state['rules']['codebook'] or 'not found'}",
        f"  word lists      {_digest(state['rules']['lexicons'])}",
        "",
        "Language model",
        f"  name            {state['model']['name'] or 'not found'} {state['model']['version'] or ''}".rstrip(),
        f"  hash            {_digest(state['model']['sha256'])}",
        "",
        "Packages",
    ]
    for p in state["packages"]:
        lines.append(f"  {p['name']:<15} {p['version'] or 'missing':<12} {p['purpose']}")
    ocr = state["ocr"]
    lines += [
        "",
        "Pages that are pictures (OCR)",
        f"  tesseract       {ocr['tesseract'] or 'missing'}",
        f"  languages       {' '.join(ocr['languages']) or 'none'}",
        f"  ready           {'yes' if ocr['ready'] else 'no'}",
    ]
    if state["missing"]:
        lines += ["", "Missing, and how to get it"]
        for m in state["missing"]:
            lines += [f"  {m['what']}{'' if m['needed'] else ', not needed for other pages'}", f"    {m['remedy']}"]
    return "\n".join(lines) + "\n"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _pip(package: Mapping[str, Any]) -> str:
    return f"'claimscan[{package['extra']}]'" if package["extra"] else str(package["name"])


def _digest(sha256: str | None) -> str:
    return f"sha256 {sha256[:16]}..." if sha256 else "not found"


def _model() -> dict[str, Any]:
    """The language model that is used, with the hash of its weights."""
    from claimscan import language

    try:
        return {
            "name": language.installed()["package"],
            "version": language.VERSION,
            "sha256": language.model_hash(),
            "problem": "",
            "remedy": "",
        }
    except ClaimscanError as error:
        problem, remedy = str(error), error.remedy
    except Exception as error:  # a package that is there and broken may fail in any way
        problem, remedy = f"it cannot be loaded ({type(error).__name__})", _REINSTALL
    return {"name": None, "version": None, "sha256": None, "problem": problem, "remedy": remedy}


def _rules() -> dict[str, Any]:
    """The codebook's version and the hash of every rule file; loading the codebook checks that it is whole."""
    from claimscan import codebook, lexicon

    try:
        codebook.tables()
        return {
            "codebook": getattr(codebook, "VERSION", None),
            "lexicons": lexicon.fingerprint(),
            "problem": "",
            "remedy": "",
        }
    except (ClaimscanError, OSError) as error:
        return {"codebook": None, "lexicons": None, "problem": str(error), "remedy": _REINSTALL}


def _ocr() -> dict[str, Any]:
    """The tesseract program, its version and languages. ``ready`` is that the ocr extra is there as well."""
    program = shutil.which("tesseract")
    version, languages = None, []
    if program:
        version = _ask(program, "--version").partition("\n")[0].removeprefix("tesseract ").strip() or "found"
        languages = [line.strip() for line in _ask(program, "--list-langs").splitlines()[1:] if line.strip()]
    return {
        "ready": bool(program) and _version("pytesseract") is not None,
        "tesseract": version,
        "languages": languages,
    }


def _ask(program: str, option: str) -> str:
    import subprocess

    try:
        done = subprocess.run([program, option], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout or done.stderr
