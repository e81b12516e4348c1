"""Failures as a person meets them: one line on stderr and a documented exit status, or the trace of a bug."""

import errno
import os
import sys
from collections.abc import Callable

from seehear import __version__
from seehear.cli.console import Console, one_line
from seehear.errors import MediaError, SeeHearError, StorageError, UsageError

INTERRUPTED = 130  # as shells report a process that Ctrl-C ended
BROKEN_PIPE = 141  # as shells report a process whose reader went away
_STORAGE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.EACCES, errno.EPERM}
_PATHS = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP}


def guard(action: Callable[[], None], console: Console) -> int:
    """Run `action` and return the exit status; what a person can mend becomes one line.

    Raises:
        Exception: what nobody foresaw, with its trace and a note that says it is a bug.
    """
    try:
        action()
        console.flush()
    except SeeHearError as error:
        return _report(error, console)
    except SystemExit as leaving:  # after the help
        return int(leaving.code or 0)
    except KeyboardInterrupt:
        console.note("stopped by Ctrl-C")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter's last flush complains
        return BROKEN_PIPE
    except OSError as error:
        known = _from_system(error)
        if known is None:
            _note_bug(error, console)
            raise
        return _report(known, console)
    except Exception as error:
        _note_bug(error, console)
        raise
    return 0


def _report(error: SeeHearError, console: Console) -> int:
    console.note(f"seehear: {one_line(str(error))}")
    console.document({"error": describe(error)})
    return error.exit_status


def describe(error: SeeHearError) -> dict[str, object]:
    """An error for machines: its kind, exit status, parts and whole message."""
    parts = {"found": error.found, "expected": error.expected, "cause": error.cause, "cure": error.cure}
    reason = {"reason": error.reason.value, "path": error.path} if isinstance(error, MediaError) else {}
    return {
        "kind": type(error).__name__,
        "exit_status": error.exit_status,
        "message": one_line(str(error)),
        **{name: text for name, text in parts.items() if text},
        **reason,
    }


def _from_system(error: OSError) -> SeeHearError | None:
    """The system's refusal to open or write something as an error with a cure; None if it is not of that kind."""
    what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    if error.errno in _STORAGE:
        return StorageError(
            what, expected="a place that can be read and written", cure="seehear doctor shows free disk"
        )
    if error.errno in _PATHS and error.filename:
        return UsageError(what, expected="a path that fits", cure="check the path")
    return None


def _note_bug(error: Exception, console: Console) -> None:
    error.add_note(
        f"This is a bug in seehear {__version__}, not a mistake of yours. Please report it with the lines above, "
        "the command, and what `seehear doctor --json` prints."
    )
    console.document(
        {"error": {"kind": "bug", "exit_status": 1, "message": one_line(f"{type(error).__name__}: {error}")}}
    )
