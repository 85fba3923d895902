"""Expected failures, each with one plain sentence, a remedy and an exit code (contract.md)."""

from __future__ import annotations


class ClaimscanError(Exception):
    """Something went wrong that a person can do something about.

    ``str(error)`` is one sentence saying what happened; ``remedy`` says what to do next.
    """

    exit_code = 3
    remedy = ""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy or type(self).remedy


class UsageError(ClaimscanError):
    """The command or function was used wrongly."""

    exit_code = 2


class UnreadableDocument(ClaimscanError):
    """A document could not be read at all. Subclasses say why."""


class MissingDocument(UnreadableDocument):
    remedy = "Check the spelling of the name and that the file is on this computer."


class EmptyDocument(UnreadableDocument):
    remedy = "Download or export the document again."


class UnsupportedFormat(UnreadableDocument):
    remedy = "claimscan reads PDF, Word (.docx), HTML, Markdown and plain text."


class DamagedDocument(UnreadableDocument):
    remedy = "Download the document again, or open it in a reader and save a new copy."


class EncryptedDocument(UnreadableDocument):
    remedy = "Open it with its password and save a copy without one, then check the copy."


class NoTextFound(UnreadableDocument):
    remedy = "The pages are pictures. Install the OCR extra (see the README) or ask the publisher for a text version."


class LimitExceeded(UnreadableDocument):
    remedy = "Check a smaller part of the document, or raise the limit in the settings."


class ChangedDocument(UnreadableDocument):
    remedy = "Scan again when nobody is writing to it."


class TimeExceeded(UnreadableDocument):
    remedy = "Check it alone with “claimscan check”, or allow more with --seconds."


class MemoryExceeded(UnreadableDocument):
    remedy = "Check it alone with “claimscan check”, or allow more with --memory."


class WorkerDied(UnreadableDocument):
    remedy = "Allow more with --memory, or check it alone with “claimscan check”; if that fails too, please report it."


class WrongWorker(ClaimscanError):
    """A worker of a cluster has other rules than the run."""

    exit_code = 2
    remedy = "Install the same version of claimscan for every worker, then start the workers again."


class RuleError(ClaimscanError):
    """A rule or table file is wrong: unknown key, duplicate id, missing example, bad pattern."""

    exit_code = 2
    remedy = "Correct the rule file named in the message."


class CorrectionError(ClaimscanError):
    """A correction cannot be made or read: an unknown code, words that are not in the document, a file of another kind."""

    exit_code = 2
    remedy = "Correct the part named in the message, or make the correction again. docs/correcting.md has the form."


class UnmarkedDocument(ClaimscanError):
    """A copy with highlights cannot be made of a document that could be read. Nothing was written for it."""

    exit_code = 2
    remedy = "Use --html, which shows each quote with what it says."
