"""The directory on LDAP servers: the contract on a real slapd, groups, several servers, TLS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from auth.directory import Person
from auth.directory.ldap import LdapDirectory
from conf.errors import AccessDenied
from tests.contracts.directory import PEOPLE, DirectoryContract
from tests.servers import free_port
from tests.servers.ldap import BASE, GROUP_BASE, PEOPLE_BASE, Slapd, running

GROUPS = sorted({group for _, groups in PEOPLE.values() for group in groups})
ADA = ("ada", PEOPLE["ada"][0])


def _grow(slapd: Slapd, user: str) -> None:
    """A person of the contract, with their groups."""
    password, groups = PEOPLE[user]
    name = slapd.person(user, password)
    for group in groups:
        slapd.join(f"cn={group},{GROUP_BASE}", name)


def _peopled(slapd: Slapd) -> Slapd:
    for group in GROUPS:
        slapd.group(group)
    for user in PEOPLE:
        _grow(slapd, user)
    return slapd


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Slapd]:
    with running(tmp_path_factory.mktemp("slapd") / "one", authority) as server:
        yield _peopled(server)


@pytest.fixture
def other(tmp_path: Path, authority: trustme.CA) -> Callable[..., Any]:
    """Another server, with the same people."""
    numbers = iter(range(9))
    return lambda **more: running(tmp_path / f"slapd{next(numbers)}", authority, **more)


class _Contract(DirectoryContract):
    @pytest.fixture
    def unreachable(self, slapd: Slapd) -> LdapDirectory:
        return LdapDirectory((f"ldaps://localhost:{free_port()}",), slapd.settings())

    @pytest.fixture
    def forget(self, slapd: Slapd) -> Iterator[Callable[[str], None]]:
        gone: list[str] = []

        def remove(user: str) -> None:
            slapd.remove(f"uid={user},{PEOPLE_BASE}")
            gone.append(user)

        yield remove
        for user in gone:
            _grow(slapd, user)


class TestLdaps(_Contract):
    @pytest.fixture
    def directory(self, slapd: Slapd) -> LdapDirectory:
        return slapd.directory()


class TestStartTlsAndMemberOf(_Contract):
    @pytest.fixture
    def directory(self, slapd: Slapd) -> LdapDirectory:
        return LdapDirectory((slapd.ldap,), slapd.settings(membership="memberOf", group_subtree=True))


@pytest.fixture
def eve(slapd: Slapd) -> Iterator[str]:
    """Somebody without groups, for a test to play with; her distinguished name."""
    name = slapd.person("eve", "secret")
    yield name
    slapd.remove(name)


@pytest.fixture
def group(slapd: Slapd) -> Iterator[Callable[..., str]]:
    """Makes groups that are gone after the test."""
    made: list[str] = []

    def make(name: str, *members: str, **more: str) -> str:
        made.append(slapd.group(name, *members, **more))
        return made[-1]

    yield make
    for name in reversed(made):
        slapd.remove(name)


@pytest.mark.parametrize("membership", ["groups", "memberOf"])
def test_groups_within_groups_are_followed_to_a_depth_and_loops_are_harmless(
    membership: str, slapd: Slapd, eve: str, group: Callable[..., str]
) -> None:
    chain = [eve]
    for number in range(5):
        chain.append(group(f"level{number}", chain[-1]))
    slapd.join(chain[1], chain[-1])
    slapd.join(chain[1], chain[1])

    def groups(nested: int) -> frozenset[str]:
        return slapd.directory(membership=membership, nested=nested).authenticate("eve", "secret").groups

    assert groups(0) == {"level0"}
    assert groups(2) == {"level0", "level1", "level2"}
    assert groups(20) == {f"level{number}" for number in range(5)}


@pytest.mark.parametrize("membership", ["groups", "memberOf"])
def test_a_person_in_too_many_groups_is_refused(
    membership: str, slapd: Slapd, eve: str, group: Callable[..., str]
) -> None:
    for number in range(7):
        group(f"many{number}", eve)
    # Two a page: they come over four pages.
    everything = slapd.directory(membership=membership, max_groups=7, page_size=2)
    assert len(everything.authenticate("eve", "secret").groups) == 7
    with pytest.raises(AccessDenied, match=r"more than 6 groups .* ldap\.max_groups"):
        slapd.directory(membership=membership, max_groups=6, page_size=2).authenticate("eve", "secret")


@pytest.mark.parametrize("membership", ["groups", "memberOf"])
def test_a_group_elsewhere_counts_for_nothing(
    membership: str, slapd: Slapd, eve: str, group: Callable[..., str]
) -> None:
    group("acme-operators", eve, base=PEOPLE_BASE)
    group("acme-operators,ou=groups", eve, base=PEOPLE_BASE)
    group("below", eve, base=f"cn=acme-viewers,{GROUP_BASE}")
    assert slapd.directory(membership=membership).authenticate("eve", "secret").groups == frozenset()
    deep = slapd.directory(membership=membership, group_subtree=True)
    assert deep.authenticate("eve", "secret").groups == {"below"}


@pytest.mark.parametrize("membership", ["groups", "memberOf"])
def test_two_groups_of_one_name_are_not_confused(
    membership: str, slapd: Slapd, eve: str, group: Callable[..., str]
) -> None:
    group("Acme-Operators", eve, base=f"cn=acme-viewers,{GROUP_BASE}")
    with pytest.raises(AccessDenied, match=r"Several groups are called 'Acme-Operators'.*cn=acme-operators,ou=groups"):
        slapd.directory(membership=membership, group_subtree=True).authenticate("eve", "secret")


def test_a_second_value_of_cn_names_no_group(slapd: Slapd, eve: str) -> None:
    name = f"cn=harmless,{GROUP_BASE}"
    slapd.add(name, ["groupOfNames"], {"cn": ["harmless", "acme-operators"], "member": [eve]})
    try:
        assert slapd.directory().authenticate("eve", "secret").groups == {"harmless"}
    finally:
        slapd.remove(name)


@pytest.mark.parametrize("odd", ['a,b+c"d\\e<f>;g=h', "#hash", "Ärzte & Co", "a  b"])
@pytest.mark.parametrize("membership", ["groups", "memberOf"])
def test_odd_names_of_groups_arrive_as_they_are(
    odd: str, membership: str, slapd: Slapd, eve: str, group: Callable[..., str]
) -> None:
    group(odd, eve)
    assert slapd.directory(membership=membership).authenticate("eve", "secret").groups == {odd}


def test_groups_of_unique_names_and_posix_groups(slapd: Slapd, eve: str) -> None:
    unique, posix = f"cn=unique,{GROUP_BASE}", f"cn=posix,{GROUP_BASE}"
    slapd.add(unique, ["groupOfUniqueNames"], {"cn": "unique", "uniqueMember": [eve]})
    slapd.add(posix, ["posixGroup"], {"cn": "posix", "gidNumber": "7", "memberUid": ["eve"]})
    try:
        for question, groups in {
            "(uniqueMember={dn})": {"unique"},
            "(memberUid={user})": {"posix"},
            "(|(member={dn})(uniqueMember={dn})(&(objectClass=posixGroup)(memberUid={user})))": {"unique", "posix"},
        }.items():
            assert slapd.directory(group_filter=question).authenticate("eve", "secret").groups == groups
    finally:
        slapd.remove(unique)
        slapd.remove(posix)


def test_attributes_are_hostile(slapd: Slapd, group: Callable[..., str]) -> None:
    noise: dict[str, Any] = {"description": "x" * 1_000_000, "jpegPhoto": bytes(range(256)) * 2000}
    name = slapd.person("mal", "secret", **noise)
    try:
        group("acme", name)
        assert slapd.directory().authenticate("mal", "secret") == Person("mal", frozenset({"acme"}))
    finally:
        slapd.remove(name)


def test_without_a_service_account_people_are_asked_as_themselves(other: Callable[..., Any]) -> None:
    with other(readers="users") as slapd:
        _peopled(slapd)
        more = {"bind_dn": "", "bind_password_file": "", "user_dn": f"uid={{user}},{PEOPLE_BASE}", "user_base": ""}
        directory = slapd.directory(**more)
        for user, (password, groups) in PEOPLE.items():
            assert directory.authenticate(user, password) == Person(user, groups)
        for user, password in (("ada", "wrong"), ("nobody", "wrong"), (f"ada,{PEOPLE_BASE}", "x"), ("ADA", ADA[1])):
            with pytest.raises(AccessDenied, match="The user name or the password is wrong"):
                directory.authenticate(user, password)
        with pytest.raises(AccessDenied, match="Without a service account"):
            directory.find("ada")
        directory.look()


def test_without_any_account_nobody_in_particular_asks(other: Callable[..., Any]) -> None:
    with other(readers="*") as slapd:
        _peopled(slapd)
        directory = slapd.directory(bind_dn="", bind_password_file="")
        assert directory.authenticate(*ADA) == Person("ada", PEOPLE["ada"][1])
        with pytest.raises(AccessDenied):
            directory.authenticate("ada", "wrong")


def test_the_next_server_is_asked_when_one_does_not_serve(slapd: Slapd, other: Callable[..., Any]) -> None:
    with other() as second:
        _peopled(second)
        both = LdapDirectory((second.ldaps, slapd.ldaps), slapd.settings())
        assert both.authenticate(*ADA).groups == PEOPLE["ada"][1]
        second.kill()
        assert both.authenticate(*ADA).groups == PEOPLE["ada"][1]
        second.start()
        assert both.find("ada") == Person("ada", PEOPLE["ada"][1])


def test_all_servers_are_named_when_none_serves(slapd: Slapd) -> None:
    urls = tuple(f"ldaps://localhost:{free_port()}" for _ in range(2))
    with pytest.raises(AccessDenied, match="cannot be reached") as denied:
        LdapDirectory(urls, slapd.settings()).authenticate(*ADA)
    assert all(url in denied.value.what for url in urls)


def test_no_other_server_is_asked_about_a_wrong_password(slapd: Slapd) -> None:
    # The second would be one more failed attempt towards a lock, and here one that cannot be reached.
    directory = LdapDirectory((slapd.ldaps, f"ldaps://localhost:{free_port()}"), slapd.settings())
    with pytest.raises(AccessDenied, match="The user name or the password is wrong"):
        directory.authenticate("ada", "wrong")


@pytest.mark.parametrize("kind", ["ldap", "ldaps"])
class TestCertificates:
    def test_one_for_another_name(self, kind: str, other: Callable[..., Any]) -> None:
        with other(host="ldap.elsewhere.example") as slapd:
            directory = LdapDirectory((getattr(slapd, kind),), slapd.settings())
            with pytest.raises(AccessDenied, match=r"certificate is not to be trusted .*Hostname mismatch"):
                directory.authenticate(*ADA)

    def test_one_of_another_authority(self, kind: str, slapd: Slapd, tmp_path: Path) -> None:
        trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
        directory = LdapDirectory((getattr(slapd, kind),), slapd.settings(ca_file=str(tmp_path / "ca.pem")))
        with pytest.raises(AccessDenied, match=r"certificate is not to be trusted .*No password was sent"):
            directory.authenticate(*ADA)

    def test_the_systems_own_authorities_do_not_know_ours(self, kind: str, slapd: Slapd) -> None:
        directory = LdapDirectory((getattr(slapd, kind),), slapd.settings(ca_file=""))
        with pytest.raises(AccessDenied, match="certificate is not to be trusted"):
            directory.authenticate(*ADA)

    def test_authorities_that_cannot_be_read(self, kind: str, slapd: Slapd, tmp_path: Path) -> None:
        (tmp_path / "empty.pem").touch()
        for name in ("empty.pem", "none.pem"):
            directory = LdapDirectory((getattr(slapd, kind),), slapd.settings(ca_file=str(tmp_path / name)))
            with pytest.raises(AccessDenied, match=rf"{name} cannot be read: .*ldap\.ca_file"):
                directory.authenticate(*ADA)


def test_a_line_that_is_not_encrypted_is_for_those_who_allow_it(slapd: Slapd) -> None:
    settings = slapd.settings(start_tls=False)
    with pytest.raises(AccessDenied, match="in the clear"):
        LdapDirectory((slapd.ldap,), settings).authenticate(*ADA)
    assert LdapDirectory((slapd.ldap,), settings, plain=True).authenticate(*ADA).user == "ada"


def test_a_look_says_what_a_run_would_meet(slapd: Slapd) -> None:
    slapd.directory().look()
    with pytest.raises(AccessDenied, match="There is no 'ou=nowhere"):
        slapd.directory(group_base=f"ou=nowhere,{BASE}").look()
