"""Client files: what they may say, and that every mistake is told at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.client import client_ids, load_client
from conf.errors import ConfigError, NotFound
from conf.feeds import ImagesFeed
from conf.names import is_name
from conf.size import checked_size

SIZE = r"/(?P<width>\d+)/(?P<height>\d+)$"
GOOD = 'client = "acme"\n[feeds.photos]\nkind = "images"\nsources = ["picsum.photos"]\n'


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of clients of the test's own."""
    (tmp_path / "conf" / "clients").mkdir(parents=True)
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    return tmp_path / "conf" / "clients"


def _problems(clients: Path, text: str, transforms: set[str] | None = None) -> list[str]:
    (clients / "acme.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_client("acme", transforms)
    return [problem.removeprefix(f"{clients}/acme.toml: ") for problem in caught.value.problems]


def test_the_demo_client_is_sound() -> None:
    feed = load_client("demo", {"grayscale", "thumbnail"}).feeds["photos"]
    assert feed.sources == ("picsum.photos", "127.0.0.1:8200")
    assert feed.max_transient == 0.02
    assert feed.size == SIZE


def test_five_mistakes_are_five_sentences_with_file_key_found_and_allowed(clients: Path) -> None:
    (clients / "acme.toml").write_text(
        'client = "acmee"\n'
        "[feeds.photos]\n"
        'kind = "image"\n'
        'complet = "rename"\n'
        'sources = ["https://picsum.photos"]\n'
        'transforms = ["greyscale"]\n'
    )

    with pytest.raises(ConfigError) as caught:
        load_client("acme", {"grayscale", "thumbnail"})

    file = f"{clients}/acme.toml"
    assert list(caught.value.problems) == [
        f"{file}: client is 'acmee'; it must be 'acme', as the file is named.",
        f"{file}: feeds.photos.kind is 'image'; it must be 'images' or 'records'; did you mean 'images'?",
        f"{file}: feeds.photos.sources[0] is 'https://picsum.photos'; it must be a host alone, such as picsum.photos.",
        f"{file}: feeds.photos.transforms[0] is 'greyscale'; allowed are grayscale, thumbnail; "
        "did you mean 'grayscale'?",
        f"{file}: feeds.photos.complet is no key; allowed are complete, delimiter, format, kind, max_transient, "
        "redirects, settle_seconds, size, sources, transforms; did you mean 'complete'?",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sources = []", "feeds.f.sources is []; it must name at least one."),
        ("sources = 'a.example'", "feeds.f.sources is 'a.example'; it must be a list."),
        ("sources = ['a.example:0']", "its port must be a number within 1 to 65535, or *."),
        ("sources = ['*']", "it names no host"),
        ("redirects = ['a b']", "feeds.f.redirects[0] is 'a b'; it names no host"),
        ("transforms = []", "feeds.f.transforms is []; it must name at least one."),
        ("transforms = ['a', 'b', 'a']", "it must name each transform once (a)."),
        ("transforms = ['../a']", "feeds.f.transforms[0] is '../a'; a name begins"),
        ("max_transient = 2", 'is 2; it must be a number from 0 to 1, or a percentage such as "2%".'),
        ("max_transient = true", "is True; it must be a number from 0 to 1"),
        ("max_transient = nan", "is nan; it must be a number from 0 to 1"),
        ("max_transient = '0.02'", "is '0.02'; it must be a number from 0 to 1"),
        ("max_transient = '101%'", "is '101%'; it must be a number from 0 to 1"),
        ("settle_seconds = 0", "feeds.f.settle_seconds is 0; it must be more than 0."),
        ("settle_seconds = inf", "feeds.f.settle_seconds is inf; it must be at most 86400."),
        ("delimiter = ':'", "feeds.f.delimiter is ':'; it must be"),
        ("size = '('", "it must be a regular expression ("),
        ("kind = 7", "feeds.f.kind is 7; it must be 'images' or 'records'."),
        ("kinds = 'images'", "did you mean 'kind'?"),
    ],
)
def test_a_mistake_in_a_feed_is_one_sentence(line: str, told: str, clients: Path) -> None:
    lines = {"kind": "kind = 'images'", "sources": "sources = ['a.example']", line.split()[0]: line}
    (problem,) = _problems(clients, "client = 'acme'\n[feeds.f]\n" + "\n".join(lines.values()))
    assert told in problem


@pytest.mark.parametrize(
    ("feeds", "told"),
    [
        ("[feeds]", "feeds is {}; it must name at least one."),
        ("", "feeds is missing; it must be given."),
        ("feeds = 1", "feeds is 1; it must be a table"),
        ("[feeds.Photos]\nkind='images'\nsources=['a.example']", "feeds has the name 'Photos'; a name begins"),
        ("[feeds.'../up']\nkind='images'\nsources=['a.example']", "feeds has the name '../up'; a name begins"),
        ("[feeds.outbox]\nkind='images'\nsources=['a.example']", "feeds has the name 'outbox'; reserved names are"),
        ("[feeds.image-request]\nkind='images'\nsources=['a.example']", "reserved names are"),
        (
            "[feeds.a-b]\nkind='images'\nsources=['a.example']\n[feeds.a_b]\nkind='images'\nsources=['a.example']",
            "feeds must differ in more than - and _, which tables write alike (a-b, a_b)",
        ),
        (
            "[feeds.a-b]\nkind='records'\ncolumns=[{name='n'}]\n[feeds.a_b_line]\nkind='images'\nsources=['a.example']",
            "a_b_line is how the lines of another feed are called",
        ),
    ],
)
def test_a_mistake_in_the_feeds_is_one_sentence(feeds: str, told: str, clients: Path) -> None:
    (problem,) = _problems(clients, f"client = 'acme'\n{feeds}")
    assert told in problem


@pytest.mark.parametrize(
    "client",
    [
        "../conf/clients/acme",
        "..",
        "",
        "/etc/passwd",
        "Acme",
        "acme\n",
        "acme.toml",
        "a" * 64,
        "\uff41cme",
        "a/b",
        "a\0",
    ],
)
def test_an_id_that_is_none_never_reaches_the_file_system(
    client: str, clients: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clients / "acme.toml").write_text(GOOD)
    monkeypatch.setattr("conf.client.read_toml", lambda path: pytest.fail(f"{path} was opened"))
    with pytest.raises(ConfigError, match="is no client's id"):
        load_client(client)


def test_a_missing_client_is_told_with_those_there_are(clients: Path) -> None:
    with pytest.raises(NotFound, match="There are no clients yet"):
        load_client("acme")
    for name in ("acme", "globex", ".hidden", "Not-A-Name"):
        (clients / f"{name}.toml").write_text(GOOD)
    with pytest.raises(NotFound, match="Clients are acme, globex; did you mean 'acme'"):
        load_client("acmee")
    assert client_ids() == ["acme", "globex"]


def test_a_new_feed_is_there_at_the_next_reading(clients: Path) -> None:
    (clients / "acme.toml").write_text(GOOD)
    assert list(load_client("acme").feeds) == ["photos"]
    (clients / "acme.toml").write_text(GOOD + GOOD.split("\n", 1)[1].replace("photos]", "more]"))
    assert list(load_client("acme").feeds) == ["photos", "more"]


@pytest.mark.parametrize(
    ("text", "share"), [("2%", 0.02), ("0%", 0), ("100 %", 1), ("2.5%", 0.025), (0, 0), (0.5, 0.5)]
)
def test_max_transient_is_a_share(text: Any, share: float) -> None:
    assert _feed(max_transient=text).max_transient == share


def test_hosts_are_kept_in_their_canonical_form() -> None:
    feed = _feed(sources=["BÜCHER.example:8080", "*.Example.ORG.", "0:0::1"])
    assert feed.sources == ("xn--bcher-kva.example:8080", "*.example.org", "::1")


@given(
    sources=st.lists(st.sampled_from(["a.example", "B.example:81", "*.c.example", "[::1]:*", "ü.example"]), min_size=1),
    transforms=st.lists(st.sampled_from(["grayscale", "thumbnail", "own"]), min_size=1, unique=True),
    max_transient=st.one_of(st.floats(0, 1), st.integers(0, 100).map(lambda share: f"{share}%")),
    size=st.sampled_from([None, SIZE]),
    settle_seconds=st.floats(0.001, 86_400),
)
def test_the_register_gives_back_the_feed_it_was_given(**fields: Any) -> None:
    feed = _feed(**fields)
    assert ImagesFeed.model_validate(json.loads(json.dumps(feed.model_dump(mode="json")))) == feed


@given(st.text(max_size=70))
def test_a_name_is_always_one_safe_part_of_a_path(text: str) -> None:
    if is_name(text):
        assert Path("/lake", text).parent == Path("/lake")
        assert text.isascii()
        assert len(text) <= 63


@pytest.mark.parametrize(
    "pattern",
    [
        SIZE,
        r"(?i)^/id/[^/]+/(?P<width>\d{1,5})/(?P<height>\d{1,5})(?:\.jpg)?$",
        r"/(?P<width>\d+)x(?P<height>\d+)[(*+)|]",
        r"/w_(?P<width>\d+),h_(?P<height>\d+)/",
        r"(?P<width>\d{3})(?P<height>\d{3})",
        r"[a-z]+(?P<width>\d+?)\)(?P<height>\d++)[]/]",
    ],
)
def test_a_size_whose_repeats_end_in_one_place_is_taken(pattern: str) -> None:
    assert checked_size(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (r"/(?P<width>\d+)", "height is missing"),
        (r"/\d+", "width and height is missing"),
        (r"(?P<width>(\d+)+)(?P<height>\d+)x", "a group is not repeated"),
        (r"(?P<width>\d)(?P<height>(\d\d){2,})", "a group is not repeated"),
        (r"(?:a|a)(?P<width>\d+)/(?P<height>\d+)", r"no \|"),
        (r"(?P<width>\d+)/(?P<height>\d+)/\1", "no referring back"),
        (r"(?P<width>\d+)/(?P<height>\d+)/(?P=width)", "no referring back"),
        (r"(?=a)(?P<width>\d+)/(?P<height>\d+)", "no looking around"),
        (r"(?x)(a+) * (?P<width>\d+)/(?P<height>\d+)", "not allowed"),
        (r".*/(?P<width>\d+)/(?P<height>\d+)", r"\.\* must be followed by something that it cannot match itself"),
        (r"(?P<width>\d+)(?P<height>\d+)", "cannot match itself"),
        (r"(?i)[a-z]+K(?P<width>\d+)/(?P<height>\d+)", "cannot match itself"),
        (r"\d?(?P<width>\d)(?P<height>\d)", "cannot match itself"),
        (r"(?P<width>\d+)/?(?P<height>\d+)", "cannot match itself"),
        (r"(?P<width>\d+)\b(?P<height>\d+)", "not allowed"),
        (r"(?P<width>\d+)(?:/a)?(?P<height>\d+)", "must stand at the end"),
        (r"(?P<width>\d)(?P<height>\d)" + "a" * 200, "at most 200 characters"),
        (r"(?P<width>\d+)(?P<height>[[a])", "regular expression"),
        (r"(?P<width>\d{99999999999})(?P<height>\d)", "regular expression"),
    ],
)
def test_a_size_that_could_run_away_is_a_mistake(pattern: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        checked_size(pattern)


def _feed(**fields: Any) -> ImagesFeed:
    return ImagesFeed.model_validate({"kind": "images", "sources": ["a.example"], **fields})


def test_keys_and_addresses_of_sftp(clients: Path) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
    (clients / "acme.toml").write_text(f'{GOOD}[sftp]\nkeys = ["{key}"]\nfrom = ["192.0.2.1", "2001:db8::/32"]\n')
    access = load_client("acme").sftp
    assert access.keys == (key,)
    assert access.addresses == ("192.0.2.1/32", "2001:db8::/32")
    (clients / "acme.toml").write_text(GOOD)
    assert load_client("acme").sftp.keys == ()


def test_what_is_wrong_with_sftp(clients: Path) -> None:
    problems = _problems(clients, f'{GOOD}[sftp]\nkeys = ["ssh-dss AAAA"]\nfrom = ["example.org"]\npassword = "x"\n')
    assert [problem.split(" is ")[0] for problem in problems] == ["sftp.keys[0]", "sftp.from[0]", "sftp.password"]
    assert problems[2].startswith("sftp.password is no key; allowed are from, keys")
