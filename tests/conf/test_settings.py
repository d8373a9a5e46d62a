"""Settings: where they come from, and that every mistake is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.environment import OTHERS, overrides
from conf.errors import ConfigError
from conf.settings import Settings, Web, describe, load_settings


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of the test's own, with an empty file for each env."""
    (tmp_path / "conf").mkdir()
    for env in ("dev", "test", "prod"):
        (tmp_path / "conf" / f"{env}.toml").touch()
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    return tmp_path / "conf"


def _problems() -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings()
    return list(caught.value.problems)


def _problem() -> str:
    (problem,) = _problems()
    return problem


def test_what_is_given_goes_before_variables_and_those_before_the_file(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (conf / "test.toml").write_text("[web]\nconcurrency = 3\nper_host = 3\nattempts = 3\n")
    monkeypatch.setenv("LANDFALL_WEB__PER_HOST", "4")
    monkeypatch.setenv("LANDFALL_WEB__ATTEMPTS", "4")

    web = Settings(web={"attempts": 5}).web

    assert (web.concurrency, web.per_host, web.attempts, web.max_redirects) == (3, 4, 5, 5)


@pytest.mark.parametrize("env", ["dev", "test", "prod"])
def test_the_files_that_come_with_landfall_are_sound(env: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_ENV", env)
    assert load_settings().env == env
    assert bool(load_settings().web.allow_addresses) == (env != "prod")


def test_prod_uses_every_real_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_ENV", "prod")
    settings = load_settings()
    schemes = [url.partition("://")[0] for url in (settings.lake.url, settings.images.url, settings.auth.url)]
    assert schemes == ["hdfs", "mongodb", "ldaps"]


def test_home_is_var_below_the_working_directory_unless_it_is_set(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_HOME", "")
    assert load_settings().home == Path("var")
    assert load_settings().landing_root == Path.cwd() / "var" / "landing"


@pytest.mark.parametrize(
    ("variable", "text", "section", "key", "value"),
    [
        ("LANDFALL_WEB__CONCURRENCY", "5", "web", "concurrency", 5),
        ("LANDFALL_WEB__TOTAL_SECONDS", "1.5", "web", "total_seconds", 1.5),
        ("LANDFALL_WEB__PORTS", "80,8080", "web", "ports", (80, 8080)),
        ("LANDFALL_WEB__PORTS", "[80, 8080]", "web", "ports", (80, 8080)),
        (
            "LANDFALL_WEB__ALLOW_ADDRESSES",
            "127.0.0.1:*, [::1]:80",
            "web",
            "allow_addresses",
            ("127.0.0.1:*", "[::1]:80"),
        ),
        ("LANDFALL_WEB__ALLOW_ADDRESSES", "", "web", "allow_addresses", ()),
        ("LANDFALL_WEB__USER_AGENT", "7", "web", "user_agent", "7"),
        ("LANDFALL_SPARK__CONF", '{"spark.a": "1"}', "spark", "conf", {"spark.a": "1"}),
        ("LANDFALL_SPARK__DRIVER_MEMORY", "512m", "spark", "driver_memory", "512m"),
        ("LANDFALL_LAKE__URL", "/data//lake/", "lake", "url", "/data/lake"),
    ],
)
def test_a_variable_says_what_its_setting_is(
    variable: str, text: str, section: str, key: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFALL_ENV", "dev")
    monkeypatch.setenv(variable, text)
    assert getattr(getattr(load_settings(), section), key) == value


def test_all_mistakes_are_told_at_once_each_with_its_place(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf / "prod.toml").write_text(
        '[web]\nconcurency = 5\nallow_addresses = ["127.0.0.1:*"]\nattempts = 0\n[wbe]\n[log]\nlevel = "inf"\n'
    )
    monkeypatch.setenv("LANDFALL_ENV", "prod")
    monkeypatch.setenv("LANDFALL_WEB__PORTS", "80,http")
    monkeypatch.setenv("LANDFALL_WEB__PROTS", "80")
    monkeypatch.setenv("LANDFALL_SPARK__DRIVER_MEMORY", "lots")

    file = f"{conf}/prod.toml"
    problems = sorted(_problems())

    assert [
        problem.split(" ", 1)[0] if problem.startswith("LANDFALL") else problem[: len(file)] for problem in problems
    ] == [
        *[file] * 6,
        "LANDFALL_SPARK__DRIVER_MEMORY",
        "LANDFALL_WEB__PORTS[1]",
        "LANDFALL_WEB__PROTS",
    ]
    told = "\n".join(problems)
    assert "web.concurency is no key" in told
    assert "did you mean 'concurrency'?" in told
    assert "web.attempts is 0; it must be at least 1." in told
    assert "wbe is no key" in told
    assert "did you mean 'web'?" in told
    assert "log.level is 'inf'; it must be 'debug', 'info', 'warning' or 'error'; did you mean 'info'?" in told
    assert "web.allow_addresses is set; it is for dev and test only" in told
    assert "auth.url names no directory server; people in a file are for dev and test only" in told
    assert "is 'http'; it must be a whole number." in told
    assert "did you mean 'LANDFALL_WEB__PORTS'?" in told


@pytest.mark.parametrize(
    "variable", ["LANDFALL_WEB__CONCURENCY", "LANDFALL_WEBB__CONCURRENCY", "LANDFALL_WEB", "landfall_web__ports"]
)
def test_a_variable_that_is_none_is_a_mistake_and_its_value_is_not_told(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "s3cret")
    problem = _problem()
    assert problem.startswith(f"{variable} is no variable of Landfall")
    assert "did you mean 'LANDFALL_" in problem
    assert "s3cret" not in problem


def test_variables_that_are_no_settings_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OTHERS:
        monkeypatch.setenv(name, "" if name == "LANDFALL_CONF" else "x")
    assert load_settings().env == "test"


def test_an_unknown_env_is_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_ENV", "../prodd")
    assert _problem() == ("LANDFALL_ENV is '../prodd'; it must be 'dev', 'test' or 'prod'; did you mean 'prod'?")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[web\n", "is not TOML"),
        (b"web = 1 = 2\n", "is not TOML"),
        (b"# \xff\n", "is not UTF-8 (byte 2)"),
        (b"#" * (1 << 20) + b"\n", "has more than 1048576 bytes"),
        (b"web = 5\n", "web is 5; it must be a table."),
        (b'env = "prod"\n', "the file's name says 'test' already"),
        (
            b"[web]\nmax_bytes = 500_000_000\n",
            "buffer_bytes is 268435456; it must be at least web.max_bytes (500000000)",
        ),
        (b"[web]\nconcurrency = true\n", "web.concurrency is True; it must be a number."),
        (b"[web]\ntotal_seconds = inf\n", "web.total_seconds is inf; it must be a finite number."),
        (
            b'[web]\nallow_addresses = ["localhost:80"]\n',
            "web.allow_addresses[0] is 'localhost:80'; it must be an address",
        ),
        (b'[web]\nallow_addresses = ["127.0.0.1"]\n', "it must name a port, or * for all"),
        (b'[web]\nuser_agent = "a\\r\\nb"\n', "printable ASCII"),
        (b'[lake]\nurl = "lake"\n', "lake.url is 'lake'; it must be an absolute path, or begin with hdfs://"),
        (b'[lake]\nurl = "/data/{a,b}"\n', "which Spark takes for a pattern"),
        (b'[images]\nurl = "mongodb://me:secret@db"\n', "it must not hold a user or password"),
        (b'[images]\nurl = "mongodb://a,,b"\n', "it names '', which is no server"),
        (b'[images]\nurl = "mongodb://a:99999"\n', "it is no URL: Port out of range"),
        (b'[images]\nurl = "mongodb://a/admin"\n', "it must be mongodb:// and servers"),
        (b'[images]\nurl = "mongodb://a/?tlsInsecure=true"\n', "its option 'tlsInsecure' is none of replicaSet"),
        (b'[mongo]\ndatabase = "{client}"\n', "it must hold {client} and {env} once"),
        (b'[mongo]\ndatabase = "{client}.{env}"\n', "and besides letters, digits, _ and - only"),
        (b'[mongo]\nuser = "{feed}"\n', "besides {client} it may hold printable ASCII characters only"),
        (b'[mongo]\npassword_file = "secret"\n', "it must be the absolute path of a file, or empty"),
        (b'[spark]\nmaster = "locl"\n', "spark.master is 'locl'; it must be local"),
        (
            b'[spark.conf]\n"park.a" = "1"\n',
            "spark.conf has the name 'park.a'; it must be a name that begins with spark.",
        ),
        (b'[query]\nmemory = "much"\n', "query.memory is 'much'"),
        (b"[auth]\ncache_seconds = 61\n", "auth.cache_seconds is 61; it must be at most 60."),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(content: bytes, told: str, conf: Path) -> None:
    (conf / "test.toml").write_bytes(content)
    problem = _problem()
    assert problem.startswith(f"{conf}/test.toml")
    assert told in problem


def test_a_broken_file_does_not_hide_a_wrong_variable(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf / "test.toml").write_text("[web\n")
    monkeypatch.setenv("LANDFALL_WEB__ATTEMPTS", "many")
    assert len(_problems()) == 2


def test_a_missing_file_is_told(conf: Path) -> None:
    (conf / "test.toml").unlink()
    assert _problem().startswith(f"There is no {conf}/test.toml; run landfall init")


def test_what_code_gives_is_told_by_its_key(conf: Path) -> None:
    with pytest.raises(ConfigError, match=r"^web\.attempts is -1; it must be at least 1\.$"):
        Settings(web={"attempts": -1})


def test_sections_may_be_given_whole() -> None:
    assert Settings(web=Web(concurrency=2)).web.concurrency == 2


def test_every_setting_is_described() -> None:
    settings = {setting.name: setting for setting in describe()}
    assert settings["web.concurrency"].variable == "LANDFALL_WEB__CONCURRENCY"
    assert settings["web.ports"].default == "[80, 443]"
    assert settings["home"].variable == "LANDFALL_HOME"
    assert all(setting.description for setting in settings.values())
    assert len(settings) == 2 + sum(
        len(type(section).model_fields) for section in vars(Settings()).values() if hasattr(section, "model_fields_set")
    )


@given(st.lists(st.integers(1, 65535), min_size=1, max_size=5))
def test_a_list_is_json_or_has_commas(ports: list[int]) -> None:
    commas = overrides(Settings, {"LANDFALL_WEB__PORTS": ",".join(map(str, ports))})
    json = overrides(Settings, {"LANDFALL_WEB__PORTS": str(ports)})
    assert Web.model_validate(commas["web"]) == Web.model_validate(json["web"]) == Web(ports=tuple(ports))


LDAP = '[auth]\nurl = "{url}"\n[ldap]\nuser_base = "ou=people,dc=x"\ngroup_base = "ou=groups,dc=x"\n{more}\n'


@pytest.mark.parametrize(
    ("url", "more", "problem"),
    [
        ("ldap://a", "start_tls = false", "ldap.start_tls is false, so passwords would go to ldap:// in the clear"),
        ("ldaps://a ldap://b", "start_tls = false", "ldap.start_tls is false"),
        ("ldaps://a/dc=x", "", "auth.url is 'ldaps://a/dc=x'; it must be ldaps://host or ldap://host"),
        ("/people", "", "auth.url is '/people'; it must be ldaps://host or ldap://host"),
        ("ldaps://a", 'user_filter = "(cn={user})"', "it must hold (uid={user}), which ldap.user_name says."),
        ("ldaps://a", 'user_filter = "(uid={user})(cn=*)"', "it must be one filter in parentheses"),
        ("ldaps://a", 'user_filter = "(&(uid={user})(ou={dn}))"', "it must hold {user}, and nothing else in braces."),
        ("ldaps://a", 'group_filter = "(member=*)"', "it must hold {dn} or {user}, and nothing else in braces."),
        ("ldaps://a", 'user_dn = "cn=x"', "it must hold {user} once"),
        ("ldaps://a", 'user_dn = "{user}@x"', "it must be a distinguished name"),
        ("ldaps://a", 'bind_dn = "cn=x"', "ldap.bind_dn and ldap.bind_password_file must be given together"),
        ("ldaps://a", 'bind_password_file = "/x"', "ldap.bind_dn and ldap.bind_password_file must be given together"),
        (
            "ldaps://a",
            'bind_dn = "cn=x"\nbind_password_file = "/x"\nuser_dn = "uid={user},dc=x"',
            "leave out this or ldap.bind_dn.",
        ),
        ("ldaps://a", 'user_name = "uid)(x"', "it must be the name of an attribute, such as uid."),
        ("ldaps://a", "nested = 21", "ldap.nested is 21; it must be at most 20."),
    ],
)
def test_what_is_wrong_with_directory_servers(conf: Path, url: str, more: str, problem: str) -> None:
    (conf / "test.toml").write_text(LDAP.format(url=url, more=more))
    assert problem in _problem()


def test_a_directory_server_without_the_places_of_people_and_groups(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFALL_AUTH__URL", "ldaps://a")
    people, groups = _problems()
    assert f"{conf}/test.toml: ldap.user_base is missing" in people
    assert f"{conf}/test.toml: ldap.group_base is missing" in groups


def test_a_line_in_the_clear_is_for_dev_alone(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf / "dev.toml").write_text(LDAP.format(url="ldap://a", more="start_tls = false"))
    monkeypatch.setenv("LANDFALL_ENV", "dev")
    assert not load_settings().ldap.start_tls


def test_mongo_stands_open_to_nobody_in_prod(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_ENV", "prod")
    file = conf / "prod.toml"
    begin = LDAP.format(url="ldaps://a", more='[images]\nurl = "mongodb://a"')
    file.write_text(f"{begin}[mongo]\ntls = false\n")
    problems = _problems()
    assert len(problems) == 3
    assert problems[0].startswith(f"{file}: mongo.tls is false; where env is prod MongoDB is reached over TLS only")
    assert problems[1].startswith(f"{file}: mongo.user is not set")
    assert problems[2].startswith(f"{file}: mongo.password_file is not set")
    whole = '[mongo]\nuser = "of-{client}"\npassword_file = "/etc/landfall/mongo/{client}"\n'
    file.write_text(begin + whole)
    assert Settings().mongo.tls
    monkeypatch.setenv("LANDFALL_MONGO__TLS", "off")
    assert _problem().startswith("LANDFALL_MONGO__TLS is false")


def _blocks() -> list[str]:
    text = (Path(__file__).parents[2] / "docs" / "ldap.md").read_text()
    return [block.partition("```")[0] for block in text.split("```toml\n")[1:]]


@pytest.mark.parametrize("block", _blocks())
def test_what_the_docs_say_of_directory_servers_is_sound(block: str, conf: Path) -> None:
    (conf / "test.toml").write_text(block)
    settings = load_settings()
    assert settings.auth.url
    assert settings.ldap.group_base
