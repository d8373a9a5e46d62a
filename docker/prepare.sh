#!/usr/bin/env bash
# Makes the environment in $VENV: Java 17 and Python's venv from Debian's packages where they are missing, then the
# locked dependencies, each checked against its hash.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=${VENV:-.venv}
PYTHON=${PYTHON:-$(command -v python3 || true)}

say() { printf '%s\n' "$*" >&2; }

debian_install() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        say "Please install $1, then run make again. On Debian or Ubuntu: apt-get install $2"
        exit 1
    fi
    say "Installing $1 …"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends "$2" >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$2" >/dev/null; }
}

java_major() { java -version 2>&1 | sed -nE '1s/.*"([0-9]+).*/\1/p'; }

if ! command -v java >/dev/null || [ "$(java_major)" -lt 17 ]; then
    debian_install "Java 17" openjdk-17-jre-headless
fi
if [ -z "$PYTHON" ]; then
    debian_install "Python 3.11" python3
    PYTHON=$(command -v python3)
fi
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))'; then
    say "Landfall runs on Python 3.11 or 3.12; $PYTHON is $("$PYTHON" --version). Set PYTHON=… and run make again."
    exit 1
fi
if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
    debian_install "Python's venv" python3-venv
fi
if [ ! -x "$VENV/bin/python" ]; then
    say "Making the environment in $VENV …"
    "$PYTHON" -m venv "$VENV"
fi
say "Installing the locked dependencies (the first time takes a minute or two) …"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
say "Making the archive of Spark's classes, so that runs start sooner …"
"$VENV/bin/landfall" spark prepare >&2 || say "There is none; runs start without it."
