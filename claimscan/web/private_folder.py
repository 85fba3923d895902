"""The private folder of one run of the server, and the removal of those that killed runs have left.

A run holds a lock on a file in its folder as long as it lives; the system lets go of it when the run ends, however it ends.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

PREFIX = "claimscan-page-"
LOCK = "lock"
SETTLED = 60.0  # seconds; a younger folder may be one that is only about to be locked


class PrivateFolder:
    """A new folder that only this user can open, gone with :meth:`close`."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))  # 0700, as mkdtemp makes it
        self._lock = _lock(self.path)
        self._lock.acquire()

    def close(self) -> None:
        """Delete it and all that is in it."""
        _remove(self.path, self._lock)


def remove_leftovers() -> list[Path]:
    """Remove the folders of runs that are no longer alive. Returns those that are gone.

    Only what is this user's own, private, of our name and with a lock that nobody holds is touched. What cannot be removed
    stays, and is no error.
    """
    from filelock import Timeout

    gone = []
    for path in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            if not _ours(path) or time.time() - (path / LOCK).lstat().st_mtime < SETTLED:
                continue
            lock = _lock(path)
            lock.acquire(timeout=0)
        except (OSError, Timeout, NotImplementedError):  # no lock in it, a live run, or a system without locks
            continue
        _remove(path, lock)
        if not path.exists():
            gone.append(path)
    return gone


def _ours(path: Path) -> bool:
    about = path.lstat()
    mine = not hasattr(os, "getuid") or (about.st_uid == os.getuid() and stat.S_IMODE(about.st_mode) == 0o700)
    return mine and stat.S_ISDIR(about.st_mode) and stat.S_ISREG((path / LOCK).lstat().st_mode)


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    return FileLock(path / LOCK, mode=0o600, thread_local=False)


def _remove(path: Path, lock: BaseFileLock) -> None:
    """Delete a folder whose lock is ours. Where an open file cannot be deleted (Windows), its lock goes last."""
    shutil.rmtree(path, ignore_errors=True)
    lock.release(force=True)
    shutil.rmtree(path, ignore_errors=True)
