from __future__ import annotations

import json
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.client import load_client
from conf.grants import load_grants
from landfall.onboarding import making
from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]
ADMIN = '\n[[grants]]\ngroup = "admins"\nrole = "admin"\nclient = "{client}"\nfeeds = "*"\n'
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ5T3yGqPgY1p2r5b7wJq0d5hQ0m8yq2wq9c8b7a6Z5 ops@acme.example"
IMAGES = ("--feed", "photos", "--sources", "picsum.photos 127.0.0.1:8200")


@pytest.fixture(autouse=True)
def admitted(house: Path) -> Path:
    """Adm may admit every client."""
    grants = house / "conf/grants.toml"
    grants.write_text(grants.read_text() + ADMIN.format(client="*"))
    return house


@pytest.fixture
def onboard(landfall: Call) -> Call:
    return lambda *arguments, user="adm": landfall("onboard", *arguments, user=user)


def client_file(house: Path, client: str = "acme") -> Path:
    return house / "conf/clients" / f"{client}.toml"


def made(house: Path) -> dict[str, bytes]:
    """Every file of state and configuration, but for the logs."""
    files = (path for path in house.rglob("*") if path.is_file() and "logs" not in path.parts)
    return {str(path.relative_to(house)): path.read_bytes() for path in files if not path.name.startswith("password")}


def sample(house: Path, rows: int = 40) -> Path:
    file = house / "orders.csv"
    lines = [f"ab{100000 + at};{at % 3 + 1};{at}.50" for at in range(rows)]
    file.write_text("\n".join(["Order ID;Qty;Unit Price", *lines]) + "\n")
    return file


def test_a_client_is_made_ready(onboard: Call, house: Path) -> None:
    ended = onboard("--client", "acme", *IMAGES, "--operators", "operators")
    assert ended.code == 0, ended.err
    config = load_client("acme")
    assert config.feeds["photos"].kind == "images"
    for place in ("landing/acme/incoming/photos", "landing/acme/outbox/photos", "images/acme"):
        assert (house / "home" / place).is_dir()
    assert "group operators is operator of client acme" in {str(grant) for grant in load_grants()}
    for said in ("Client acme made, with feed photos", "Granted: group operators", "landfall sftp config", "RunClient"):
        assert said in ended.out
    assert stat.S_IMODE(client_file(house).stat().st_mode) == stat.S_IMODE((house / "conf/grants.toml").stat().st_mode)


def test_what_it_makes_can_be_run(onboard: Call, landfall: Call, house: Path) -> None:
    onboard("--client", "acme", *IMAGES, "--operators", "operators")
    (house / "empty.txt").touch()
    assert landfall("drop", "acme", "photos", house / "empty.txt", user="olga").code == 0


def test_a_feed_from_a_sample(onboard: Call, house: Path) -> None:
    ended = onboard("--client", "acme", "--feed", "orders", "--sample", sample(house))
    assert ended.code == 0, ended.err
    assert "40 would be accepted, 0 quarantined, 0 duplicate" in ended.out
    assert "pattern = [a-z]{2}[0-9]{6}" in ended.out
    feed = load_client("acme").feeds["orders"]
    assert [column.name for column in feed.columns] == ["order_id", "qty", "unit_price"]  # type: ignore[union-attr]


def test_an_empty_template_is_a_sound_file(onboard: Call) -> None:
    assert onboard("--client", "acme", "--feed", "orders").code == 0
    assert load_client("acme").feeds["orders"].kind == "records"


def test_a_dry_run_writes_nothing(onboard: Call, house: Path) -> None:
    file = sample(house)
    before = made(house)
    ended = onboard("--client", "acme", "--feed", "orders", "--sample", file, "--operators", "new", "--dry-run")
    assert ended.code == 0
    assert tomllib.loads(ended.out[ended.out.index("# ") :].split(f"# {house / 'conf/grants.toml'}")[0])
    assert "group new is operator of client acme" in ended.out
    assert made(house) == before


def test_again_changes_nothing(onboard: Call, house: Path) -> None:
    onboard("--client", "acme", *IMAGES, "--operators", "operators")
    before = made(house)
    ended = onboard("--client", "acme", *IMAGES, "--operators", "operators")
    assert ended.code == 0, ended.err
    assert "Client acme is as asked already" in ended.out
    assert made(house) == before


def test_nothing_that_is_there_is_replaced(onboard: Call, house: Path) -> None:
    onboard("--client", "acme", *IMAGES)
    before = made(house)
    for asked, says in (
        (("--feed", "photos", "--sources", "elsewhere.example", "--add"), "has a feed photos already"),
        (("--feed", "orders"), "there is a client acme already"),
    ):
        ended = onboard("--client", "acme", *asked)
        assert ended.code == 78
        assert says in ended.err
        assert made(house) == before


def test_a_feed_may_be_added(onboard: Call, house: Path) -> None:
    onboard("--client", "acme", *IMAGES)
    client_file(house).write_text(f"# kept\n{client_file(house).read_text()}")
    ended = onboard("--client", "acme", "--feed", "orders", "--sample", sample(house), "--add")
    assert ended.code == 0, ended.err
    assert "Client acme has the new feed orders" in ended.out
    assert client_file(house).read_text().startswith("# kept\n")
    assert list(load_client("acme").feeds) == ["photos", "orders"]
    assert (house / "home/landing/acme/incoming/orders").is_dir()


@pytest.mark.parametrize("user", ["olga", "vera", "eve"])
def test_only_an_admin_may(onboard: Call, house: Path, user: str) -> None:
    file, before = sample(house), made(house)
    ended = onboard("--client", "acme", "--feed", "orders", "--sample", file, user=user)
    assert ended.code == 77
    assert made(house) == before
    assert "ab100000" not in ended.out


def test_an_admin_of_another_client_may_not(onboard: Call, house: Path) -> None:
    grants = house / "conf/grants.toml"
    grants.write_text(ADMIN.format(client="demo"))
    before = made(house)
    listed = house / "list.csv"
    listed.write_text("client,feed,sources\ndemo,more,a.example\nacme,photos,a.example\n")
    ended = onboard("--list", listed, "--add")
    assert ended.code == 77
    assert "acme" in ended.err
    listed.unlink()
    assert made(house) == before


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        (("--client", "../x", "--feed", "photos"), 78, "client '../x' is no name"),
        (("--client", "acme", "--feed", "Photos"), 78, "feed 'Photos' is no name"),
        (("--client", "acme", "--feed", "raw"), 78, "reserved names are"),
        (("--client", "acme", "--feed", "photos", "--kind", "images"), 78, "needs its sources"),
        (("--client", "acme", "--feed", "photos", "--kind", "image"), 78, "did you mean 'images'?"),
        (("--client", "acme", "--feed", "photos", "--sources", "http://a b"), 78, "feeds.photos.sources"),
        (("--client", "acme", "--feed", "orders", "--sample", "nothing.csv"), 66, "There is no file nothing.csv"),
        (("--client", "acme", "--feed", "orders", "--sftp-key", "nothing"), 66, "There is no file nothing"),
        (("--client", "acme"), 2, "--client and --feed"),
        (("--list", "nothing.csv"), 66, "There is no file nothing.csv"),
        (("--list", "nothing.csv", "--client", "acme"), 2, "says all"),
    ],
)
def test_mistakes_are_sentences(onboard: Call, house: Path, asked: tuple[str, ...], code: int, says: str) -> None:
    before = made(house)
    ended = onboard(*asked)
    assert ended.code == code, ended.err
    assert says in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err
    assert made(house) == before


def test_a_key_opens_its_account(onboard: Call, house: Path) -> None:
    (house / "id.pub").write_text(f"# the client's\n{KEY}\n")
    ended = onboard("--client", "acme", *IMAGES, "--sftp-key", "id.pub")
    assert ended.code == 0, ended.err
    assert load_client("acme").sftp.keys == (KEY,)
    assert "Its public key" not in ended.out


def test_a_list_makes_many(onboard: Call, house: Path) -> None:
    sample(house)
    listed = house / "list.csv"
    rows = [f"c{at},photos,images,a.example b.example,,team-{at % 3}" for at in range(20)]
    listed.write_text("\n".join(["client,feed,kind,sources,sample,operators", *rows, "c1,orders,,,orders.csv,"]))
    ended = onboard("--list", listed)
    assert ended.code == 0, ended.err
    assert {f"c{at}" for at in range(20)} <= {file.stem for file in (house / "conf/clients").iterdir()}
    assert list(load_client("c1").feeds) == ["photos", "orders"]
    assert sum(grant.group.startswith("team-") for grant in load_grants()) == 20
    before = made(house)
    assert onboard("--list", listed).code == 0
    assert made(house) == before


def test_all_mistakes_of_a_list_are_told_before_anything_is_written(onboard: Call, house: Path) -> None:
    listed = house / "list.csv"
    listed.write_text(
        "client,feed,kind,sources,sample\n"
        "c1,photos,images,a.example,\n"
        "c2,photos,images,,\n"
        "demo,more,images,a.example,\n"
        "c3,orders,,,missing.csv\n"
        "c1,photos,images,b.example,\n"
    )
    before = made(house)
    ended = onboard("--list", listed)
    assert ended.code == 78
    for says in ("line 3: A feed of images needs its sources", "line 5: There is no file"):
        assert says in ended.err
    listed.write_text("client,feed,sources\nc1,photos,a.example\ndemo,more,a.example\nc1,photos,b.example\n")
    ended = onboard("--list", listed)
    for says in ("line 3: there is a client demo already", "line 4: feed photos of client c1 is named twice"):
        assert says in ended.err
    listed.write_text("client,fed\nc1,photos\n")
    assert "did you mean 'feed'?" in onboard("--list", listed).err
    listed.unlink()
    before.pop("list.csv")
    assert made(house) == before


def test_what_a_kill_leaves_undone_the_same_command_does(
    onboard: Call, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = house / "list.csv"
    listed.write_text("client,feed,sources,operators\nc1,photos,a.example,team\nc2,photos,a.example,team\n")
    whole = making._put

    def dying(file: Path, *rest: object, **named: object) -> None:
        if file.name == "c2.toml":
            raise KeyboardInterrupt
        whole(file, *rest, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(making, "_put", dying)
        assert onboard("--list", listed).code == 130
    assert client_file(house, "c1").exists()
    assert not client_file(house, "c2").exists()
    assert onboard("--list", listed).code == 0
    assert client_file(house, "c2").exists()
    assert sum(grant.group == "team" for grant in load_grants()) == 2


def test_a_file_that_changes_meanwhile_is_not_replaced(
    onboard: Call, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onboard("--client", "acme", *IMAGES)
    places = making._places

    def edited(*arguments: object) -> str:
        client_file(house).write_text(client_file(house).read_text() + "# edited\n")
        return places(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(making, "_places", edited)
    ended = onboard("--client", "acme", "--feed", "orders", "--add")
    assert ended.code == 73
    assert client_file(house).read_text().endswith("# edited\n")


def test_hostile_values_of_a_sample_stay_text(onboard: Call, house: Path) -> None:
    file = house / "evil.csv"
    evil = ["x'; DROP TABLE sample; --", 'a"]\nclient = "rival"', "\x1b[2J"]
    lines = [json.dumps({"id": at, "Na'me\"\n": evil[at % 3]}) for at in range(60)]
    file.write_text("\n".join(lines) + "\n")
    ended = onboard("--client", "acme", "--feed", "orders", "--sample", file)
    assert ended.code == 0, ended.err
    assert "\x1b" not in ended.out
    config = load_client("acme")
    assert config.feeds["orders"].columns[1].one_of == tuple(sorted(evil))  # type: ignore[union-attr]
