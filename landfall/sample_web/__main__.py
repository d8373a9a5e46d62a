"""The process of a SampleWeb that has one of its own; people run ``landfall sample-web``."""

from __future__ import annotations

import argparse
import json
import signal
import sys

from landfall.sample_web.running import SampleWeb


def main() -> None:
    """Says its port, answers ``tally``, ends with its standard input."""
    parser = argparse.ArgumentParser(prog="python -m landfall.sample_web")
    parser.add_argument("--port", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--redirect-to", default="")
    given = parser.parse_args()
    # Ctrl-C on a terminal is for whoever started us, and with them goes our standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    house = SampleWeb(given.seed, port=given.port, fresh=given.fresh, redirect_to=given.redirect_to)
    with house:
        print(house.port, flush=True)
        for _ in sys.stdin:
            print(json.dumps(vars(house.tally)), flush=True)


if __name__ == "__main__":
    main()
