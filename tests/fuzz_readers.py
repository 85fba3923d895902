"""Fuzzing of the readers, guided by coverage; run by hand, not by pytest.

    pip install atheris
    python tests/fuzz_readers.py SEEDS -max_total_time=1800 -timeout=60 -rss_limit_mb=2000

SEEDS is a folder of documents to start from; libFuzzer adds to it what reaches new code, so give a copy. The last letter
of a seed's bytes chooses the suffix a document is given. Only a named error may come out; anything else, a hang or a
crash stops the fuzzing and leaves the bytes that did it in a file.
"""

import sys

import atheris

with atheris.instrument_imports(include=["claimscan", "docx", "markdown_it"]):
    from claimscan import reading
    from claimscan.errors import UnreadableDocument
    from claimscan.reading import docx, html, pdf, text  # noqa: F401  (loaded here so that they are instrumented)
    from claimscan.records import Settings

SUFFIXES = (".pdf", ".docx", ".html", ".md", ".txt", "")
SETTINGS = Settings(max_seconds=20.0, max_pages=50)


def one(data: bytes) -> None:
    name = "fuzz" + SUFFIXES[data[-1] % len(SUFFIXES) if data else 0]
    try:
        document = reading.read_bytes(data, name, SETTINGS)
    except UnreadableDocument:
        return
    assert all(0 <= b.start <= b.end <= len(document.text) for b in document.blocks)
    again = reading.restore(reading.store(document, SETTINGS), data, name, SETTINGS)
    assert again == document and getattr(again.anchors, "runs", None) == getattr(document.anchors, "runs", None)
    middle = len(document.text) // 2
    reading.locate(document, [(0, min(9, len(document.text))), (middle, min(middle + 5, len(document.text)))])


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
