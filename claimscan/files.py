"""Files written whole or not at all."""

from __future__ import annotations

import os

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


def unwritable(path: str | os.PathLike[str], error: OSError) -> UsageError:
    """The error to raise where a file could not be written."""
    why = error.strerror or str(error)
    return UsageError(f"{os.fspath(path)} could not be written ({why}).", "Choose another place, or make room there.")
