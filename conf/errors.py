"""The one exception tree. Every foreseeable fault is one of these, and a person reads it as a sentence.

LandfallError                 1   anything of ours
├── ConfigError              78   settings, client files, grants: all mistakes at once
├── AccessDenied             77   no proof of who asks, or no grant
├── NotFound                 66   no such client, feed, drop, image
├── AlreadyExists            73   somebody created the name first; nothing was replaced
├── StorageError             74   the disk is full, a file cannot be read or written
├── LeaseLost                75   another run took the work over; nothing of this one was put in place
├── DropHeld                 75   a drop waits: for a source, for a better file or configuration, for an earlier drop
├── ProofError               70   the lines of a drop do not add up; it is not published
├── UploadRefused            65   an upload that cannot be taken (carries the rule's code)
├── QueryRefused             65   SQL that is not one SELECT over the client's published tables
└── Damaged                  65   stored content that does not match its digest

The numbers are exit codes of ``landfall`` after BSD's sysexits.h.
"""

from __future__ import annotations


class LandfallError(Exception):
    """A fault with a sentence: what happened and where, then what to do next.

    Args:
        what: what happened and where, as a full sentence.
        fix: what the reader does next, as a full sentence; empty if ``what`` already says it.
    """

    exit_code = 1

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what, fix)
        self.what = what
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} {self.fix}".strip()


class ConfigError(LandfallError):
    """A settings, client or grants file that says something it may not.

    Args:
        problems: one sentence a mistake: file, key, what was found, what is allowed.
    """

    exit_code = 78

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, ...]]:
        return type(self), self.problems


class AccessDenied(LandfallError):
    """Nobody proved who they are, or nobody granted them what they ask.

    Args:
        reason: what the audit log says, where that is more than whoever asks may know; else it says ``what``.
    """

    exit_code = 77

    def __init__(self, what: str, fix: str = "", reason: str = "") -> None:
        super().__init__(what, fix)
        self.reason = reason or what

    def __reduce__(self) -> tuple[type[AccessDenied], tuple[str, str, str]]:
        return type(self), (self.what, self.fix, self.reason)


class NotFound(LandfallError):
    """A client, feed, drop or image that is not there."""

    exit_code = 66


class AlreadyExists(LandfallError):
    """An exclusive create or a rename without replacing found the name taken."""

    exit_code = 73


class StorageError(LandfallError):
    """The place where data lies does not do what it must (full, unreadable, not ours).

    Attributes:
        passing: whether it may pass by itself, as a server's absence does.
    """

    exit_code = 74
    passing = False


class LeaseLost(LandfallError):
    """Another run took the work over, for this one gave no sign of life; nothing of this one was put in place."""

    exit_code = 75


class DropHeld(LandfallError):
    """A drop that is not wrong waits: more passing failures than ``max_transient``, so the next run asks again; more
    rejects than ``max_rejected``, or other columns than the feed's; or one that it is compared with is not published.
    """

    exit_code = 75


class ProofError(LandfallError):
    """``lines = ok + quarantined + duplicate`` does not hold."""

    exit_code = 70


class UploadRefused(LandfallError):
    """An upload that cannot be taken.

    Args:
        code: the rule's code, such as ``upload.symlink``.
    """

    exit_code = 65

    def __init__(self, code: str, what: str, fix: str = "") -> None:
        super().__init__(what, fix)
        self.code = code

    def __reduce__(self) -> tuple[type[UploadRefused], tuple[str, str, str]]:
        return type(self), (self.code, self.what, self.fix)


class QueryRefused(LandfallError):
    """SQL that is not one SELECT over the client's own published tables, or that DuckDB cannot run."""

    exit_code = 65


class Damaged(LandfallError):
    """Stored content whose digest or pixels are not what was written."""

    exit_code = 65
