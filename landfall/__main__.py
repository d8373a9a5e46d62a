"""The command ``landfall``: every foreseeable fault of a command becomes a sentence and an exit code."""

from __future__ import annotations

import os
import sys

from conf.errors import LandfallError, StorageError

_INTERRUPTED = 130


def main() -> None:
    """Runs the command line; the exit codes are those of ``conf.errors``, 2 for a wrong call, 130 for Ctrl-C."""
    sys.exit(_run())


def _run() -> int:
    try:
        from landfall.app import app

        app(prog_name="landfall")
        sys.stdout.flush()
    except SystemExit as end:
        return _flushed(end.code)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except LandfallError as error:
        return _told(error)
    except BrokenPipeError:
        return _gone()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _told(StorageError(f"{where}{error.strerror or error}.", "See to the disk and run the command again."))
    return 0


def _told(error: LandfallError) -> int:
    from landfall.terminal import complain

    complain(error)
    return error.exit_code


def _flushed(code: str | int | None) -> int:
    """The exit code; whoever reads our output may be gone by the time that the last of it is written."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _gone()
    return code if isinstance(code, int) else 0 if code is None else 1


def _gone() -> int:
    """Nobody reads our output any more (``| head``): the rest goes nowhere, without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    main()
