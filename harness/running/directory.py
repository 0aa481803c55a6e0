"""A directory that one command writes into at a time: never somebody else's, and its files whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import UsageError

PART = ".part"
"""Ends the name of a file that is being written."""
Look = Callable[[Path], None]


@contextmanager
def held(path: Path, who: str, require_ours: Look, empty: Look) -> Iterator[None]:
    """Make a directory, hold it for this `who` alone (flock(2)) for the length of the block, and `empty` it first.

    `require_ours` looks at it before it is made, and once more when it is held: meanwhile another `who` may have
    written there. Raises UsageError when it is in use, cannot be made, read or emptied, or as `require_ours` does.
    """
    try:
        require_ours(path)
        path.mkdir(parents=True, exist_ok=True)
        directory = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            require_ours(path)
            empty(path)
        except BlockingIOError as error:
            raise UsageError(f"--out {path}: another {who} is writing there; give another directory") from error
        except OSError as error:
            raise UsageError(f"--out {path}: {error.strerror}") from error
        yield
    finally:
        os.close(directory)


def require_writable(path: Path, option: str) -> None:
    """Make a directory and see that a file can be made in it; raise UsageError, naming the option, when not."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".{os.getpid()}{PART}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror}") from error


def write_whole(file: Path, text: str, part: str = PART) -> Path:
    """Write a file, whole or not at all, and return it; raises OSError, and then leaves no draft.

    `part` ends the draft's name: where several may write at once, each needs one of its own.
    """
    draft = file.with_name(file.name + part)
    try:
        draft.write_text(text, encoding="utf-8")
        return draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
