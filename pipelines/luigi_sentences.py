"""What Luigi's command prints of a fault: a sentence in the place of a traceback, and the documented exit code."""

from __future__ import annotations

import logging
import math
import re
import sys
import time
from types import TracebackType

from luigi.parameter import MissingParameterException, ParameterException
from luigi.retcodes import retcode
from luigi.rpc import RPCError
from luigi.task_register import TaskClassException

from conf.errors import LandfallError

INTERRUPTED = 130
_SECONDS_BETWEEN_WARNINGS = 20

_SCHEDULER_FIX = (
    "What is done stays done. Start it (`luigid --address 127.0.0.1`) and run again, or run with --local-scheduler."
)
_SAID_ALREADY = ("Retrying attempt ", "Wait for ", "Failed pinging scheduler")
_SUMMARY = "===== Luigi Execution Summary ====="
_UNCAUGHT = "Uncaught exception in luigi"
_RAISED_AGAIN = "Luigi unexpected framework error"
# Where ``complete()`` fails, Luigi writes the traceback into the message.
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n.*^conf\.errors\.\w+: ", re.DOTALL | re.MULTILINE)
_URL = re.compile(r"remote scheduler '([^']+)'")
_WRONG_VALUE = re.compile(r"Error when parsing the default value of '(\w+)'")
_REASON = re.compile(r"\[Errno -?\d+\] ([^'\")]+)|(timed out)|(\d{3} (?:Client|Server) Error: [^:]+)")


def apply() -> None:
    """Has Luigi's log and the interpreter say a sentence. Called when ``pipelines`` is imported."""
    logging.getLogger("luigi-interface").addFilter(_Sentences())
    sys.excepthook = _end


def sentence(error: BaseException) -> str | None:
    """A fault as a person reads it; None for one that nobody foresaw."""
    if isinstance(error, LandfallError):
        return str(error)
    if isinstance(error, RPCError):
        return f"{_scheduler(str(error))} does not answer as it should{_reason(error)}. {_SCHEDULER_FIX}"
    if isinstance(error, MissingParameterException):
        return f"{_plain(error)} Give it as --name value; `luigi --module pipelines <task> --help` lists them."
    if isinstance(error, ParameterException | TaskClassException):
        return f"{_plain(error)} `luigi --module pipelines RunClient --client <client>` runs a client."
    wrong = _WRONG_VALUE.search(str(error)) if isinstance(error, ValueError) else None
    if wrong:
        return f"Luigi's setting --{wrong[1].replace('_', '-')} is wrong: {error.__cause__}."
    return None


class _Sentences(logging.Filter):
    """Puts a sentence in the place of a fault's traceback, and passes over what says it once more."""

    def __init__(self) -> None:
        super().__init__()
        self._told = -math.inf

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        message = record.getMessage()
        if message.startswith(_SAID_ALREADY) or (isinstance(error, RPCError) and message.startswith(_RAISED_AGAIN)):
            return False
        if message.startswith("Failed connecting to remote scheduler"):
            if time.monotonic() - self._told < _SECONDS_BETWEEN_WARNINGS:
                return False
            self._told = time.monotonic()
            message = f"{_scheduler(message)} does not answer{_reason(error)}; it is asked again for a while."
        elif error is not None and (told := sentence(error)) is not None:
            message = told if message == _UNCAUGHT else f"{message}\n{told}"
        elif _TRACEBACK.search(message):
            message = _TRACEBACK.sub("", message).rstrip()
        elif _SUMMARY in message and (why := _unfinished(message)):
            message = f"{message.rstrip()}\n\n{why}"
        else:
            return True
        record.msg, record.args, record.exc_info, record.exc_text = message, (), None, None
        return True


def _unfinished(summary: str) -> str:
    """Why Luigi left work undone though nothing failed; empty if that is not so."""
    if "being run by another worker" in summary:
        return (
            "Another run of this client is at work; each drop is done once. Run again when it is done, or, if it was "
            "killed, in a minute: by then the scheduler knows."
        )
    if "not granted run permission by the scheduler" in summary and "failed" not in summary:
        return (
            "The scheduler knows nothing of the work that is left: it was started anew without what it knew, or has "
            "just seen this run end. What is done stays done; run again to go on."
        )
    return ""


def _end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process outside of Luigi's own care: a task that is none, Ctrl-C."""
    if isinstance(error, KeyboardInterrupt):
        _leave("Interrupted. What is done stays done; run again to go on.", INTERRUPTED)
    told = sentence(error)
    if told is None:
        sys.__excepthook__(kind, error, trace)
        return
    _leave(told, retcode().unhandled_exception)  # type: ignore[no-untyped-call]  # luigi's


def _leave(told: str, code: int) -> None:
    print(told, file=sys.stderr)
    raise SystemExit(code)


def _scheduler(message: str) -> str:
    """Which scheduler Luigi's message is about."""
    url = _URL.search(message)
    return f"The scheduler at {url[1].rstrip('/')}" if url else "The scheduler"


def _reason(error: BaseException | None) -> str:
    """Why the scheduler could not be asked, in brackets, if anybody said it."""
    cause = getattr(error, "sub_exception", None) or error
    found = _REASON.search(str(cause)) if cause else None
    return f" ({next(filter(None, found.groups())).strip()})" if found else ""


def _plain(error: BaseException) -> str:
    """An exception's text as one sentence."""
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?")) else f"{text}."
