"""How Luigi behaves, also where no luigi.cfg is found: exit codes, one try a run, patience with its scheduler."""

from __future__ import annotations

import luigi

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
    # luigi.cfg says why.
    "scheduler": {"retry_delay": "31536000", "stable_done_cooldown_secs": "0", "record_task_history": "false"},
    "core": {
        "log_level": "INFO",
        "no_lock": "true",
        # A luigid that is back within a minute is not missed.
        "rpc_connect_timeout": "10",
        "rpc_retry_attempts": "21",
        "rpc_retry_wait": "3",
    },
}


def apply() -> None:
    """Sets what luigi.cfg leaves unsaid. Called when ``pipelines`` is imported, before Luigi reads its settings."""
    config = luigi.configuration.get_config()  # type: ignore[no-untyped-call]  # luigi's
    for section, options in DEFAULTS.items():
        for name, value in options.items():
            if not config.has_option(section, name):
                config.set(section, name, value)
    # Luigi reads these elsewhere, and would warn that nobody does.
    luigi.interface.core.ignore_unconsumed |= DEFAULTS["core"].keys()
