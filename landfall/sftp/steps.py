"""What a host is made of, piece by piece. Each piece knows itself as a line of a shell script and how to be made.

To make one that is there as it shall be changes nothing and says nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Protocol

from conf.errors import AccessDenied, NotFound, StorageError

# Of an account for files alone: no home made, no shell, no mail, no numbers for containers of its own.
BARE = ("--no-create-home", "--shell", "/usr/sbin/nologin", "-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

# What the lines of the script call.
FUNCTIONS = f"""\
stop() {{ echo "$1" >&2; exit 1; }}
group() {{ getent group "$1" >/dev/null || groupadd --system "$1"; }}
account() {{ # name, what for, home, group, directory of the accounts' numbers, the first number
    if found=$(getent passwd "$1"); then
        [ "$(echo "$found" | cut -d: -f5)" = "$2" ] || stop "The account $1 is there and is not Landfall's."
        [ "$(echo "$found" | cut -d: -f6)" = "$3" ] || usermod --home "$3" "$1"
    else
        if [ ! -s "$5/$1" ]; then
            number=$6
            while getent passwd "$number" || getent group "$number" || grep -hsx "$number" "$5"/*; do
                number=$((number + 1))
            done >/dev/null
            echo "$number" >"$5/$1"
        fi
        number=$(cat "$5/$1")
        getent group "$1" >/dev/null || groupadd --gid "$number" "$1"
        useradd --uid "$number" --gid "$number" --groups "$4" --comment "$2" {" ".join(BARE)} --home-dir "$3" \\
            --password '*' "$1"
    fi
}}
safe() {{ # every component above is root's, and no other's to change
    at=/
    for name in $(echo "$1" | tr / ' '); do
        at="${{at%/}}/$name"
        [ -d "$at" ] || install -d -o root -g root -m 0755 "$at"
        [ "$(stat -c %u "$at")" = 0 ] && [ -z "$(find "$at" -maxdepth 0 -perm /022)" ] ||
            stop "$at must be root's, and writable to nobody else."
    done
}}
directory() {{ # owner, group, mode, path
    [ ! -L "$4" ] || stop "$4 is a link."
    [ -d "$4" ] || mkdir "$4"
    chown "$1:$2" "$4"
    chmod "$3" "$4"
}}
file() {{ # owner, group, mode, path; content from standard input
    cat >"$4.new"
    chown "$1:$2" "$4.new"
    chmod "$3" "$4.new"
    mv "$4.new" "$4"
}}
"""


class Step(Protocol):
    """One piece."""

    def script(self) -> str:
        """The piece as it is made by a line of shell, or several, with ``FUNCTIONS`` at hand."""

    def apply(self) -> str:
        """Makes the piece; returns what was changed, as a sentence, or nothing."""


def require_root() -> None:
    """AccessDenied for anybody else."""
    if os.geteuid() != 0:
        raise AccessDenied(
            "Only root can make accounts and directories of others.",
            "Run it as root, or hand what it prints without --apply to somebody who is.",
        )


def run(program: str, *arguments: str) -> None:
    """Runs a program of the system's; StorageError with what it said if it fails."""
    found = shutil.which(program, path=_PATH)
    if found is None:
        raise NotFound(f"There is no {program} on this host.", "On Debian: apt-get install openssh-server passwd.")
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.strip() or f"it ended with {done.returncode}"
        raise StorageError(f"{program} {arguments[-1]}: {said}.", "Mend that and run the command again.")
