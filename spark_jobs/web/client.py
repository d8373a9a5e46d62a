"""The one HTTP client of a shard's requests: libcurl, told to the letter what to ask, whom, and what to leave alone."""

from __future__ import annotations

import ssl

import pycurl
from yarl import URL

from spark_jobs.web.addresses import bracketed, is_address
from spark_jobs.web.clock import Stopwatch
from spark_jobs.web.driver import Driver
from spark_jobs.web.names import Names
from spark_jobs.web.places import Buffer
from spark_jobs.web.policy import WebPolicy
from spark_jobs.web.transfer import Transfer

_IDLE_SECONDS = 15
_BUFFER_BYTES = 128 << 10  # most pictures come in one piece or two
_DAY = 86_400_000  # milliseconds


class Client:
    """Asks for plain bytes, keeps no cookies, knows no proxy, follows nothing by itself and verifies TLS.

    Something happens only while one of its methods runs. Its connections are not limited here: places.py does.
    """

    def __init__(self, policy: WebPolicy, buffer: Buffer[Transfer]) -> None:
        self._policy, self._buffer = policy, buffer
        self._driver = Driver(policy.concurrency)
        self._names = Names(policy.allow_addresses, self._driver.selector)
        self._options = _options(policy)
        self._asking: dict[pycurl.Curl, Transfer] = {}
        self._waiting: dict[Transfer, object] = {}
        self._idle: list[Transfer] = []
        self._settled: list[Transfer] = []

    def begin(self, place: URL, watch: Stopwatch) -> Transfer:
        """A GET of a URL that hops.py lets pass, sent as soon as its host's addresses are known."""
        host, port = place.raw_host or "", place.port or 0
        transfer = self._idle.pop() if self._idle else self._new()
        transfer.begin(host, watch)
        # Host and path are named apart: libcurl does not take apart what others have, and might find something else.
        transfer.curl.setopt(pycurl.URL, f"{place.scheme}://{bracketed(host)}:{port}/")
        transfer.curl.setopt(pycurl.REQUEST_TARGET, place.raw_path_qs)
        if is_address(host):
            self._add(transfer)
        else:
            self._look_up(transfer, host, port)
        return transfer

    def send(self) -> None:
        """Sends what was begun, as far as that goes without waiting; an answer may be there at once."""
        if self._driver.fire():
            self._hear()

    def wait(self, seconds: float) -> list[Transfer]:
        """Waits until something happens, so long at most; returns the transfers that have settled."""
        self._driver.wait(0 if self._settled else seconds)
        self._hear()
        settled, self._settled = self._settled, []
        return settled

    @property
    def knows(self) -> int:
        """How many names' addresses it has kept, and libcurl with it."""
        return len(self._names)

    def end(self, transfer: Transfer) -> None:
        """Ends a transfer, whose connection is kept if all of the answer has come; its handle is free for another."""
        self._waiting.pop(transfer, None)
        if self._asking.pop(transfer.curl, None):
            self._driver.multi.remove_handle(transfer.curl)
        transfer.clear()
        self._idle.append(transfer)

    def close(self) -> None:
        """Ends everything."""
        self._names.close()
        for curl in self._asking:
            self._driver.multi.remove_handle(curl)
            curl.close()
        for transfer in (*self._idle, *self._waiting):
            transfer.curl.close()
        self._driver.close()

    def _hear(self) -> None:
        """Hears from libcurl which transfers have ended."""
        left = True
        while left:
            left, ended, failed = self._driver.multi.info_read()
            for curl in ended:
                self._asking[curl].settle()
            for curl, number, said in failed:
                self._asking[curl].settle(pycurl.error(number, said))

    def _add(self, transfer: Transfer) -> None:
        self._asking[transfer.curl] = transfer
        transfer.began = transfer.watch.spent
        self._driver.multi.add_handle(transfer.curl)

    def _look_up(self, transfer: Transfer, host: str, port: int) -> None:
        meant = self._waiting[transfer] = object()

        def on_addresses(found: tuple[str, ...] | Exception) -> None:
            if self._waiting.get(transfer) is not meant:  # it ran out of time
                return
            if isinstance(found, Exception):
                transfer.settle(found)
                return
            del self._waiting[transfer]
            where = ",".join(map(bracketed, found))
            transfer.curl.setopt(pycurl.RESOLVE, [f"{host}:{port}:{where}"])
            self._add(transfer)

        self._names.look_up(host, port, on_addresses)

    def _new(self) -> Transfer:
        curl = pycurl.Curl()
        for option, value in self._options.items():
            curl.setopt(option, value)
        return Transfer(curl, self._policy, self._buffer, self._settled_now, self._driver.forget_closed)

    def _settled_now(self, transfer: Transfer) -> None:
        self._settled.append(transfer)


def _options(policy: WebPolicy) -> dict[int, object]:
    """What is the same in every GET."""
    trusted = ssl.get_default_verify_paths()  # of this machine: libcurl's own are those of where it was built
    files = {pycurl.CAINFO: trusted.cafile, pycurl.CAPATH: trusted.capath}
    return {
        **{option: path for option, path in files.items() if path is not None},
        pycurl.NOSIGNAL: 1,
        pycurl.PROXY: "",
        pycurl.NOPROXY: "*",
        pycurl.NETRC: pycurl.NETRC_IGNORED,
        pycurl.FOLLOWLOCATION: 0,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.HTTP09_ALLOWED: 0,
        pycurl.HTTP_CONTENT_DECODING: 0,
        pycurl.SSL_VERIFYPEER: 1,
        pycurl.SSL_VERIFYHOST: 2,
        pycurl.USERAGENT: policy.user_agent,
        pycurl.HTTPHEADER: ["Accept-Encoding: identity"],
        # libcurl's clock goes on while the caller is busy: the time for a connection is seen to in fetch.py.
        pycurl.CONNECTTIMEOUT_MS: _DAY,
        pycurl.MAXAGE_CONN: _IDLE_SECONDS,
        pycurl.BUFFERSIZE: _BUFFER_BYTES,
    }
