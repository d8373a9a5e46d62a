"""How Luigi behaves, also where no luigi.cfg is found: exit codes, one try a run, no traceback for our own errors."""

from __future__ import annotations

import logging
import re

import luigi

from conf.errors import LandfallError

# luigi.cfg says the same; without a found luigi.cfg Luigi would exit with 0 on failure.
DEFAULTS = {
    "retcode": {
        "already_running": "10",
        "missing_data": "20",
        "not_run": "25",
        "task_failed": "30",
        "scheduling_error": "35",
        "unhandled_exception": "40",
    },
    "worker": {"check_complete_on_run": "true", "keep_alive": "false"},
    "scheduler": {"retry_count": "1", "record_task_history": "false"},
    "core": {"log_level": "INFO", "no_lock": "true"},
}

# Where ``complete()`` fails, Luigi writes the traceback into the message.
_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):\n.*^conf\.errors\.\w+: ", re.DOTALL | re.MULTILINE)


def apply() -> None:
    """Sets what luigi.cfg leaves unsaid. Called when ``pipelines`` is imported, before Luigi reads its settings."""
    config = luigi.configuration.get_config()  # type: ignore[no-untyped-call]  # luigi's
    for section, options in DEFAULTS.items():
        for name, value in options.items():
            if not config.has_option(section, name):
                config.set(section, name, value)
    logging.getLogger("luigi-interface").addFilter(_sentence)


def _sentence(record: logging.LogRecord) -> bool:
    """Puts our own error's sentence in the place of its traceback."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, LandfallError):
        record.msg, record.args = f"{record.getMessage()}\n{error}", ()
        record.exc_info = record.exc_text = None
    elif _TRACEBACK.search(message := record.getMessage()):
        record.msg, record.args = _TRACEBACK.sub("", message).rstrip(), ()
    return True
