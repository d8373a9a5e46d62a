"""nginx on loopback, serving photographs out of memory: so that the web is never what is slow."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

_CONF = """
daemon off; pid {work}/pid; error_log {work}/error.log error; worker_processes 1; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; types {{ image/jpeg jpg; }}
    open_file_cache max=4000 inactive=600s; open_file_cache_valid 600s;
    client_body_temp_path {work}/1; proxy_temp_path {work}/2; fastcgi_temp_path {work}/3; uwsgi_temp_path {work}/4;
    scgi_temp_path {work}/5;
    {limit}
    server {{ listen 127.0.0.1:{port} backlog=4096; root {root}; }}
}}
"""
# One queue for all requests: the key is the same for each.
_LIMIT = "limit_req_zone $server_protocol zone=all:1m rate={per_second}r/s; limit_req zone=all burst=100000;"
_SECONDS_TO_START = 10
# A directory in memory. What the system keeps there of files on a disk it gives up again when nobody asks for a minute,
# and the first to read it then pays for it.
_MEMORY = Path("/dev/shm")
# Of what memory is free, the photographs may take this part.
_SHARE = 4


@contextlib.contextmanager
def photograph_web(root: Path, count: int, per_second: int | None = None) -> Iterator[int]:
    """Serves the first so many photographs of the directory while the block runs; gives the port.

    Args:
        per_second: how many it gives in a second, in all: a web that is farther away.
    """
    with _in_memory(root, count) as held, _serving(held, per_second) as port:
        yield port


@contextlib.contextmanager
def _in_memory(root: Path, count: int) -> Iterator[Path]:
    """A copy of them in memory; where there is too little for it, the directory itself."""
    names = [f"{number // 1000:02d}/{number:06d}.jpg" for number in range(count)]
    size = sum((root / name).stat().st_size for name in names)
    room = shutil.disk_usage(_MEMORY).free if _MEMORY.is_dir() else 0
    if size >= room or size * _SHARE > psutil.virtual_memory().available:
        print("The photographs are served from the disk: they would take too much of the memory.", file=sys.stderr)
        yield root
        return
    with tempfile.TemporaryDirectory(prefix="landfall-photographs-", dir=_MEMORY) as place:
        for name in names:
            goal = Path(place) / name
            goal.parent.mkdir(exist_ok=True)
            shutil.copyfile(root / name, goal)
        yield Path(place)


@contextlib.contextmanager
def _serving(root: Path, per_second: int | None) -> Iterator[int]:
    """The server of a directory; its port."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if nginx is None:
        raise SystemExit("There is no nginx. Run bench/prepare.sh.")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    limit = _LIMIT.format(per_second=per_second) if per_second else ""
    # nginx's worker gives up root, and must still reach the pictures.
    with tempfile.TemporaryDirectory() as work:
        conf = Path(work) / "nginx.conf"
        conf.write_text("user root;\n" + _CONF.format(work=work, port=port, root=root, limit=limit))
        process = subprocess.Popen([nginx, "-c", str(conf)])
        try:
            _await(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def _await(port: int) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
