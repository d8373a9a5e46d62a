"""A process that loads what Python workers need while Spark's JVM starts, and then stands in for Spark's daemon.

Spark starts its daemon itself, when the first task needs a worker. Ours then has nothing to load: it passes what Spark
gave it, its standard files and its environment, through a socket to the process that was started ahead, and waits.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from spark_jobs.sockets import directory

# Names the socket to Spark's JVM, and so to the daemon that it starts.
_PLACE = "LANDFALL_WORKERS_AHEAD"
_MOST_BYTES = 1 << 20
_TAKEN = b"\x01"


class Ahead:
    """The process, from its start to the end of the one that started it: it ends with this one, unless Spark has it."""

    def __init__(self) -> None:
        os.environ[_PLACE] = str(directory() / "workers")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(os.environ[_PLACE])
            listener.listen(1)
            told = [str(listener.fileno()), os.environ[_PLACE], str(os.getpid())]
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "spark_jobs.ahead", *told],
                stdin=subprocess.PIPE,  # ends when this process does
                stdout=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                process_group=0,  # as Spark's daemon is; a terminal's Ctrl-C is for this process
            )


def hand_over() -> bool:
    """Whether a process that was started ahead serves Spark in place of this one; returns when it has ended."""
    place = os.environ.get(_PLACE, "")
    if not place:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as there:
        try:
            there.connect(place)
            told = json.dumps({"environment": dict(os.environ), "arguments": sys.argv}).encode()
            socket.send_fds(there, [len(told).to_bytes(4)], [0, 1, 2])
            there.sendall(told)
            taken = there.recv(1) == _TAKEN
        except OSError:
            return False  # it has another daemon's place already, or has ended: then this one serves
        if taken:
            there.recv(1)
    return taken


def main(listener: socket.socket, place: str, parent: int) -> None:
    """Loads, waits for Spark's daemon, serves in its place."""
    try:
        _serve(listener, place)
    finally:
        if os.getppid() != parent:  # it was killed, and cleared nothing away
            shutil.rmtree(Path(place).parent, ignore_errors=True)


def _serve(listener: socket.socket, place: str) -> None:
    from spark_jobs import loaded  # this is what is done ahead

    with listener, selectors.DefaultSelector() as either:
        either.register(listener, selectors.EVENT_READ)
        either.register(0, selectors.EVENT_READ)
        asked = any(key.fileobj is listener for key, _ in either.select())
        there = listener.accept()[0] if asked else None
        Path(place).unlink(missing_ok=True)
    if there is None:
        return
    _become(there)
    loaded.serve()


def _become(there: socket.socket) -> None:
    """Takes over what Spark gave the daemon that asks."""
    size, files, _, _ = socket.recv_fds(there, 4, 3)
    told, left = b"", int.from_bytes(size)
    if len(files) != 3 or left > _MOST_BYTES:
        raise SystemExit("What asks is no daemon of Spark's.")
    while left > len(told):
        more = there.recv(left - len(told))
        if not more:
            raise SystemExit("Spark's daemon has ended.")
        told += more
    said = json.loads(told)
    os.environ.clear()
    os.environ.update(said["environment"])
    sys.argv = said["arguments"]
    for goal, file in enumerate(files):
        os.dup2(file, goal)
        os.close(file)
    there.sendall(_TAKEN)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2], int(sys.argv[3]))
