"""Files written whole or not at all, where they can be written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from claimscan.errors import UsageError


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write the file under a temporary name beside it, then rename, so that nobody ever sees half of it.

    A device or a pipe cannot be replaced, so that is written to as it is.

    Raises:
        UsageError: it cannot be written; a file that was there is as it was.
    """
    import tempfile

    path = os.path.realpath(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as out:
                out.write(data)
            return
        umask = os.umask(0)
        os.umask(umask)
        mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~umask
        handle, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=os.path.dirname(path))
        try:
            with open(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())  # a power cut must not leave the name without the words
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


TEMPORARY = ".claimscan-"


def check_target(target: str, inputs: Iterable[str], *, folder: bool = False) -> None:
    """See whether a command can write where it is told to, before it reads anything.

    Args:
        target: the name of a file, or ``-`` for standard output.
        inputs: what the command reads, which must not be written over.
        folder: ``target`` is a folder for several files; it is made where only its parent is there.

    Raises:
        UsageError: it cannot be written to.
    """
    if target == "-":
        if sys.stdout is None:
            raise UsageError("There is no standard output to write to.", "Give the name of a file.")
        return
    if not folder and os.path.isdir(target):
        raise UsageError(f"{target} is a folder.", "Give the name of a file.")
    if not folder and os.path.exists(target) and any(one != "-" and same_file(one, target) for one in inputs):
        raise UsageError(
            f"{target} is to be read, so claimscan does not write over it.", "Choose another name for the output."
        )
    made = folder and os.path.isdir(target)
    place = target if made else os.path.dirname(os.path.realpath(target.rstrip("/" + os.sep)))
    if not os.path.isdir(place):
        raise UsageError(f"There is no folder {place} to write to.", "Make the folder, or choose another.")
    if not os.access(place, os.W_OK) and not os.access(target, os.W_OK):
        raise UsageError(f"{place} cannot be written to.", "Choose a folder that you can write to.")


def same_file(one: str, other: str) -> bool:
    """Whether two names are one file; not where either cannot be looked at."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def unwritable(path: str | os.PathLike[str], error: OSError) -> UsageError:
    """The error to raise where a file could not be written."""
    why = error.strerror or str(error)
    return UsageError(f"{os.fspath(path)} could not be written ({why}).", "Choose another place, or make room there.")
