#!/usr/bin/env bash
# Makes what the yardsticks need besides the product: an environment with its rivals (.venv-bench) and nginx.
set -euo pipefail
cd "$(dirname "$0")/.."
VENV=.venv-bench
if ! command -v nginx >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "Please install nginx, then run make bench again." >&2
        exit 1
    fi
    echo "Installing nginx …" >&2
    export DEBIAN_FRONTEND=noninteractive
    # The system's own server is not wanted.
    printf '#!/bin/sh\nexit 101\n' > /tmp/no-services.$$ && chmod +x /tmp/no-services.$$
    [ -e /usr/sbin/policy-rc.d ] || install -m 755 /tmp/no-services.$$ /usr/sbin/policy-rc.d
    rm -f /tmp/no-services.$$
    apt-get install -y -qq --no-install-recommends nginx-light >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light >/dev/null; }
fi
if [ ! -e "$VENV/.ready" ] || [ bench/requirements.lock -nt "$VENV/.ready" ]; then
    echo "Making the environment of the rivals in $VENV …" >&2
    .venv/bin/python -m venv --clear "$VENV"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.lock
    touch "$VENV/.ready"
fi
