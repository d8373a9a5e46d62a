"""The proof: every line of a drop has exactly one outcome, counted from the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conf.errors import ProofError
from conf.rules import is_outcome
from spark_jobs.accounts import Accounts, Said, add_up
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.records import RecordInputs
from spark_jobs.workers import Workers
from targets.filesystem import FileSystem
from targets.register import Drop

_CLASSES = ("ok", "quarantined", "duplicate")
_FAULTS = {
    "missing": "without an outcome",
    "twice": "with more than one outcome",
    "fact": "of which the tables say something else",
}
_FIX = "Nothing was published. Rebuild the drop; if that does not help, report it with the run log."


@dataclass(frozen=True)
class Proof:
    """What the lines of a drop came to.

    Attributes:
        lines: ``ok + quarantined + duplicate``.
        by_rule: lines by rule, ``ok`` among them.
    """

    lines: int
    ok: int
    quarantined: int
    duplicate: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True)
class Ledger:
    """What is said of the lines of one drop.

    Attributes:
        drop: whose lines these are.
        tables: that say it.
    """

    fs: FileSystem
    drop: Drop
    tables: tuple[Said, ...]


def ledger_of_images(inputs: LoadInputs, fact: str) -> Ledger:
    """What is said of the lines of a catalogue.

    Args:
        inputs: what Load read.
        fact: path of fact_image_request.
    """
    settled = (Said("settled", path) for path in inputs.settled)
    pictures = Said("settled", inputs.images, ("rule",), ok=True)
    return Ledger(inputs.fs, inputs.drop, (Said("asked", inputs.requests), *settled, pictures, Said("told", fact)))


def ledger_of_records(inputs: RecordInputs, fact: str, lines: str) -> Ledger:
    """What is said of the lines of a drop of records.

    Args:
        inputs: what Load read.
        fact, lines: paths of the tables of accepted records and of the other lines.
    """
    settled = Said("settled", inputs.settled), Said("settled", inputs.records, ())
    told = Said("told", lines, ok=False), Said("told", fact, ())
    return Ledger(inputs.fs, inputs.drop, (*settled, *told))


def prove(workers: Workers, ledger: Ledger, lines: int) -> Proof:
    """Proves that the drop adds up: every line that Land counted is settled once, by one stage or by its picture, and
    the tables that readers get say the same of it.

    Args:
        lines: how many lines Land counted.

    Returns:
        The counts.

    Raises:
        ProofError: naming some of the lines that are missing, settled twice, or told otherwise by the tables.
    """
    accounts = add_up(workers, ledger.fs, ledger.tables, lines)
    if accounts.some:
        raise ProofError(_say_faults(ledger, accounts), _FIX)
    by_outcome = {(str(one.outcome), str(one.rule)): one.lines for one in accounts.totals}
    _check_rules(ledger, by_outcome)
    classes = {name: sum(count for (outcome, _), count in by_outcome.items() if outcome == name) for name in _CLASSES}
    proof = Proof(sum(classes.values()), **classes, by_rule={rule: count for (_, rule), count in by_outcome.items()})
    if proof.lines != lines:
        raise ProofError(f"{_drop(ledger)} has {lines:,} lines, but {proof.lines:,} have an outcome.", _FIX)
    return proof


def _say_faults(ledger: Ledger, accounts: Accounts) -> str:
    sentences = []
    for fault, says in _FAULTS.items():
        count = sum(one.lines for one in accounts.totals if one.fault == fault)
        if count:
            some = accounts.some[fault]
            names = ", ".join(f"{entry}:{line}" for entry, line in some) + (" …" if count > len(some) else "")
            sentences.append(f"{count:,} lines {says} (entry:line {names})")
    return f"{_drop(ledger)} does not add up: {'; '.join(sentences)}."


def _check_rules(ledger: Ledger, by_outcome: Mapping[tuple[str, str], int]) -> None:
    wrong = {pair: count for pair, count in by_outcome.items() if not is_outcome(pair[1], pair[0])}
    if wrong:
        pairs = ", ".join(f"{rule} as {outcome} ({count:,} lines)" for (outcome, rule), count in wrong.items())
        raise ProofError(f"{_drop(ledger)} has outcomes that the rules do not know: {pairs}.", _FIX)


def _drop(ledger: Ledger) -> str:
    return f"Drop {ledger.drop.id[:12]} of feed {ledger.drop.feed}"
