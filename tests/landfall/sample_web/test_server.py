"""The sample web, asked over HTTP as anybody would."""

from __future__ import annotations

import gzip
import http.client
import io
import urllib.parse
from collections.abc import Iterator

import pytest
from PIL import Image

from conf.errors import ConfigError
from landfall.sample_web import SampleWeb, run


class Answer:
    def __init__(self, url: str) -> None:
        place = urllib.parse.urlsplit(url)
        link = http.client.HTTPConnection(place.netloc, timeout=20)
        try:
            link.request("GET", place.path + ("?" + place.query if place.query else ""))
            answer = link.getresponse()
            self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        finally:
            link.close()

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def image(self) -> Image.Image:
        with Image.open(io.BytesIO(self.body)) as image:
            image.load()
            return image


@pytest.fixture(scope="module")
def web() -> Iterator[SampleWeb]:
    with SampleWeb(seed=1) as web:
        yield web


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/60/40", (60, 40)),
        ("/50", (50, 50)),
        ("/seed/picsum/60/40", (60, 40)),
        ("/seed/picsum/50", (50, 50)),
        ("/id/237/60/40", (60, 40)),
        ("/id/237/50", (50, 50)),
        ("/id/237/60/40.jpg", (60, 40)),
        ("/id/237/60/40.webp", (60, 40)),
        ("/60/40?grayscale&blur=2", (60, 40)),
        ("/60/40?format=png", (60, 40)),
    ],
)
def test_a_picture_is_one_redirect_away(web: SampleWeb, path: str, size: tuple[int, int]) -> None:
    first = Answer(web.url + path)
    assert (first.status, first.body) == (302, b"")
    place = urllib.parse.urlsplit(first.location)
    assert place.path.startswith("/id/")
    assert "hmac=" in place.query
    second = Answer(first.location)
    assert (second.status, second.image.size) == (200, size)
    assert second.headers["Content-Type"] == Image.MIME[Image.open(io.BytesIO(second.body)).format or ""]


def test_grayscale_is_gray(web: SampleWeb) -> None:
    assert Answer(Answer(f"{web.url}/60/40?grayscale").location).image.mode == "L"


def test_a_seed_always_gives_the_same_picture_and_an_id_itself(web: SampleWeb) -> None:
    number = Answer(f"{web.url}/seed/a/60/40").location.split("/id/")[1].split("/")[0]
    assert f"/id/{number}/10/10." in Answer(f"{web.url}/seed/a/10/10").location
    assert "/id/237/" in Answer(f"{web.url}/id/237/60/40").location


def test_a_path_gives_one_picture_and_a_fresh_server_many() -> None:
    with SampleWeb(seed=1) as steady, SampleWeb(seed=1, fresh=True) as fresh:
        assert len({Answer(f"{steady.url}/60/40").location for _ in range(8)}) == 1
        assert len({Answer(f"{steady.url}/60/40?random={n}").location for n in range(8)}) > 4
        assert len({Answer(f"{fresh.url}/60/40").location for _ in range(8)}) > 4


def test_two_servers_of_a_seed_give_equal_bytes() -> None:
    with SampleWeb(seed=1) as one, SampleWeb(seed=1) as two, SampleWeb(seed=2) as other:
        bodies = [Answer(Answer(f"{web.url}/60/40").location).body for web in (one, two, other)]
    assert bodies[0] == bodies[1] != bodies[2]


def test_pictures_can_come_from_another_host() -> None:
    with SampleWeb(seed=1) as pictures, SampleWeb(seed=1, redirect_to=f"127.0.0.1:{pictures.port}") as front:
        location = Answer(f"{front.url}/60/40").location
        assert location.startswith(pictures.url)
        assert Answer(location).status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/0/40", 400),
        ("/5001/40", 400),
        ("/60/40?blur=11", 400),
        ("/60/40?format=doc", 400),
        ("/60/40?fault=none", 400),
        ("/id/1/60/40.jpg?hmac=wrong", 403),
        ("/about", 404),
        ("/x/40", 404),
        ("/60/40?fault=404", 404),
        ("/60/40?fault=410", 410),
        ("/60/40?fault=500", 500),
        ("/60/40?fault=503", 503),
    ],
)
def test_what_cannot_be_had_is_refused(web: SampleWeb, path: str, status: int) -> None:
    assert Answer(web.url + path).status == status


def test_busy_and_flaky_sources_recover(web: SampleWeb) -> None:
    busy = [Answer(f"{web.url}/60/40?fault=429&times=2&after=7") for _ in range(3)]
    assert [one.status for one in busy] == [429, 429, 200]
    assert busy[0].headers["Retry-After"] == "7"
    assert [Answer(f"{web.url}/60/40?fault=flaky").status for _ in range(2)] == [503, 200]


def test_pictures_with_faults(web: SampleWeb) -> None:
    sound = Answer(Answer(f"{web.url}/id/3/60/40").location).body
    damaged, truncated = (Answer(f"{web.url}/id/3/60/40?fault={fault}") for fault in ("damaged", "truncated"))
    assert len(damaged.body) == len(sound)
    assert damaged.body != sound
    assert damaged.image.size == (60, 40)
    assert sound.startswith(truncated.body)
    assert 0 < len(truncated.body) < len(sound)
    assert Answer(f"{web.url}/id/3/60/40?fault=wrongsize").image.size == (67, 43)
    page, empty = (Answer(f"{web.url}/id/3/60/40?fault={fault}") for fault in ("html", "empty"))
    assert (page.status, page.headers["Content-Type"]) == (200, "image/jpeg")
    assert page.body.startswith(b"<!DOCTYPE html")
    assert (empty.status, empty.body) == (200, b"")
    assert Answer(f"{web.url}/id/3/60/40?fault=slow&seconds=0").body == sound


def test_connections_with_faults(web: SampleWeb) -> None:
    with pytest.raises(http.client.IncompleteRead):
        Answer(f"{web.url}/60/40?fault=cut")
    with pytest.raises(ConnectionResetError):
        Answer(f"{web.url}/60/40?fault=reset")
    with pytest.raises(http.client.BadStatusLine):
        Answer(f"{web.url}/60/40?fault=protocol")


def test_answers_of_any_size(web: SampleWeb) -> None:
    large, chunked = (Answer(f"{web.url}/60/40?fault=large&bytes=200000{more}") for more in ("", "&chunked"))
    assert large.headers["Content-Length"] == "200000"
    assert chunked.headers["Content-Length"] is None
    assert large.body == chunked.body == bytes(200000)
    bomb = Answer(f"{web.url}/60/40?fault=gzipbomb&bytes=3000000")
    assert len(bomb.body) < 10_000
    assert gzip.decompress(bomb.body) == bytes(3_000_000)


def test_redirects_with_faults(web: SampleWeb) -> None:
    loop = f"{web.url}/60/40?fault=loop"
    assert Answer(loop).location == loop
    assert "hops=2" in Answer(f"{web.url}/60/40?fault=far&hops=3").location
    assert Answer(f"{web.url}/60/40?fault=far&hops=0").image.size == (60, 40)
    assert Answer(f"{web.url}/60/40?fault=private").location.startswith("http://169.254.169.254/")
    assert Answer(f"{web.url}/60/40?fault=redirect&to=https://a.example/b").location == "https://a.example/b"


@pytest.mark.parametrize("process", [False, True])
def test_it_counts_dies_and_comes_back_on_its_port(process: bool) -> None:
    with SampleWeb(seed=1, process=process) as web:
        url = web.url
        before = Answer(f"{url}/60/40").location
        Answer(before)
        assert (web.tally.total, web.requests["/60/40"], web.tally.under_way) == (2, 1, 0)
        web.pause()
        with pytest.raises(ConnectionRefusedError):
            Answer(f"{url}/60/40")
        web.resume()
        assert web.url == url
        assert Answer(f"{url}/60/40").location == before
    with pytest.raises(ConnectionRefusedError):
        Answer(f"{url}/60/40")


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "example.org", "::"])
def test_it_binds_to_loopback_only(host: str) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        run(host, 0, 0, False, lambda: None)


def test_a_taken_port_is_a_sentence(web: SampleWeb) -> None:
    said: list[str] = []
    with pytest.raises(ConfigError, match="in use"):
        run("127.0.0.1", web.port, 0, False, lambda: said.append("Pictures are here"))
    assert said == []
