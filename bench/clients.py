"""What many clients cost: ``python -m bench.clients 1 25 100``.

So many clients with a feed of records each are onboarded from one list and a sample of 200 rows each, and then run by
``RunAll`` with nothing to do. Prints seconds, with CPU seconds in brackets.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

from auth.directory.file import FileDirectory
from bench.pictures import ROOT
from bench.records_rows import COLUMNS, sound
from bench.timing import Timed, drop_caches, run
from tests.installation import BIN, OPERATOR, Installation

_ADMIN = "adm"
_GRANT = '\n[[grants]]\ngroup = "admins"\nrole = "admin"\nclient = "*"\nfeeds = "*"\n'
_ROWS = 200


def main(numbers: list[int]) -> None:
    """Runs one fresh installation a number of clients."""
    print(f"{'clients':>8} {'onboarding':>18} {'an idle RunAll':>18}")
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="landfall-clients-") as name:
            place = Path(name)
            installation = _prepared(place / "installation")
            listed = _list(place, number)
            onboard = [str(BIN / "landfall"), "onboard", "--list", str(listed)]
            made = _timed(installation, place, _ADMIN, onboard)
            run_all = [str(BIN / "luigi"), "--module", "pipelines", "RunAll", "--local-scheduler"]
            idle = _timed(installation, place, OPERATOR, run_all)
            logs = [log.name for log in (installation.home / "logs").iterdir() if log.is_dir()]
            if len(logs) != number:
                raise SystemExit(f"RunAll ran {len(logs)} of {number} clients.")
        print(f"{number:>8} {_told(made)} {_told(idle)}", flush=True)


def _prepared(root: Path) -> Installation:
    """An installation without a client, and an admin who may make some."""
    installation = Installation(root, 9).prepare()
    shutil.copy2(ROOT / "conf/dev.toml", installation.conf)
    (installation.conf / "clients" / f"{installation.client}.toml").unlink()
    with (installation.conf / "grants.toml").open("a") as file:
        file.write(_GRANT)
    FileDirectory.of(installation.home).add(_ADMIN, f"password of {_ADMIN}", ["admins"])
    password = root / _ADMIN
    password.touch(mode=0o600)
    password.write_text(f"password of {_ADMIN}")
    return installation


def _list(place: Path, number: int) -> Path:
    rows = ["client,feed,sample,operators"]
    for at in range(number):
        chance = random.Random(at)
        lines = [COLUMNS, *(",".join(sound(row, chance)) for row in range(_ROWS))]
        (place / f"{at}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        rows.append(f"client-{at:04},orders,{at}.csv,operators")
    (place / "clients.csv").write_text("\n".join(rows) + "\n")
    return place / "clients.csv"


def _timed(installation: Installation, place: Path, user: str, command: list[str]) -> Timed:
    timed = Timed(command[1])
    kept = {name: value for name, value in installation.environment(user).items() if name != "LANDFALL_ENV"}
    drop_caches()
    run(timed, command, place / "log", kept)
    return timed


def _told(timed: Timed) -> str:
    return f"{timed.median:>8.1f} ({timed.median_cpu:>7.1f})"


if __name__ == "__main__":
    main([int(number) for number in sys.argv[1:]] or [1, 25, 100])
