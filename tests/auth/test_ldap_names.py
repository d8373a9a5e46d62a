"""Names and filters: nothing that a stranger writes changes what is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import compile_filter, parse_filter

from auth.directory.ldap.names import canonical, escaped, is_below, rdn

GROUPS = "ou=groups,dc=example,dc=org"


@given(st.text())
def test_a_value_in_a_filter_stays_a_value(text: str) -> None:
    compiled = compile_filter(parse_filter(f"(uid={escaped(text)})", None, False, False, None, False).elements[0])
    assert compiled.getName() == "equalityMatch"
    assert bytes(compiled["equalityMatch"]["assertionValue"]) == text.encode("utf-8", "surrogatepass")


def test_the_filter_by_which_active_directory_follows_groups_itself() -> None:
    question = f"(member:1.2.840.113556.1.4.1941:={escaped('cn=Ä (1),dc=x')})"
    compiled = compile_filter(parse_filter(question, None, False, False, None, False).elements[0])["extensibleMatch"]
    assert str(compiled["matchingRule"]) == "1.2.840.113556.1.4.1941"
    assert bytes(compiled["matchValue"]) == "cn=Ä (1),dc=x".encode()


@given(st.text(min_size=1, max_size=200))
def test_a_value_in_a_name_stays_a_value(text: str) -> None:
    name = f"cn={escaped(text)},{GROUPS}"
    fits = text.isprintable() and text == text.strip()
    assert rdn(name, "cn") == (text if fits else None)
    assert is_below(name, GROUPS, deep=False) == fits


@given(st.text())
def test_whatever_a_server_calls_a_name_is_taken_apart_or_passed_over(text: str) -> None:
    for name in (text, f"cn={text}", f"cn={text},{GROUPS}"):
        value = rdn(name, "cn")
        assert value is None or value.isprintable()
        is_below(name, GROUPS, deep=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cn=a", "a"),
        ("CN = a , dc=x", "a"),
        (r"cn=a\2Cb\+c\\,dc=x", r"a,b+c\\"[:-1]),
        (r"cn=\C3\A4,dc=x", "ä"),
        (r"cn=a\ ,dc=x", None),
        ("cn=a+ou=b,dc=x", None),
        ("cn=#04024869,dc=x", None),
        (r"cn=\FF,dc=x", None),
        ('cn="a",dc=x', None),
        ("cn=,dc=x", None),
        ("ou=a,dc=x", None),
        ("a", None),
        ("", None),
        (f"cn={'a' * 257}", None),
        (f"cn=a,{'ou=a,' * 5000}dc=x", None),
    ],
)
def test_the_name_of_a_group(name: str, value: str | None) -> None:
    assert rdn(name, "cn") == value


@pytest.mark.parametrize(
    ("name", "direct", "deep"),
    [
        ("cn=a,ou=groups,dc=example,dc=org", True, True),
        ("CN=a, OU=Groups , DC=Example,DC=ORG", True, True),
        ("cn=a,ou=b,ou=groups,dc=example,dc=org", False, True),
        (GROUPS, False, False),
        ("cn=a,ou=groups,dc=example,dc=com", False, False),
        (r"cn=a\,ou=groups,dc=example,dc=org", False, False),
        (r"cn=a,cn=x\,ou=groups,dc=example,dc=org", False, False),
        ("cn=a,xou=groups,dc=example,dc=org", False, False),
        ("ou=groups,dc=example,dc=org,cn=a", False, False),
    ],
)
def test_what_is_below_a_base(name: str, direct: bool, deep: bool) -> None:
    assert is_below(name, GROUPS, deep=False) == direct
    assert is_below(name, GROUPS, deep=True) == deep


def test_names_are_compared_without_case_and_outer_blanks() -> None:
    assert canonical("CN=A  b, dc=X") == canonical(r"cn=a b,dc=\78")
    assert canonical("cn=a,dc=x") != canonical("cn=a,dc=y")
    assert canonical("nonsense") is None
