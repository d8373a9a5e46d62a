"""What every directory promises (auth/directory/__init__.py).

A subclass gives three fixtures: ``directory``, which knows the people of ``PEOPLE`` by the passwords there;
``unreachable``, of the same kind, which does not serve; and ``forget``, which removes a user from ``directory``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from auth.directory import Directory, Person
from conf.errors import AccessDenied

# user: (password, groups)
PEOPLE: dict[str, tuple[str, frozenset[str]]] = {
    "ada": ("correct horse", frozenset({"acme-viewers", "acme-operators"})),
    "bob": ("p:ä*)(uid=*", frozenset()),
    "o'hara, (jr) *": ("Jr\\2a", frozenset({"acme-viewers"})),
}


class DirectoryContract:
    @pytest.mark.parametrize("user", PEOPLE)
    def test_the_right_password_proves_a_person_with_their_groups(self, directory: Directory, user: str) -> None:
        password, groups = PEOPLE[user]
        assert directory.authenticate(user, password) == Person(user, groups)

    @pytest.mark.parametrize(
        "password",
        ["wrong", "Correct horse", "correct horse ", "correct horse\0", "correct", "*", "p:ä*)(uid=*", "x" * 4096],
    )
    def test_a_wrong_password_is_denied(self, directory: Directory, password: str) -> None:
        with pytest.raises(AccessDenied):
            directory.authenticate("ada", password)

    @pytest.mark.parametrize("user", PEOPLE)
    @pytest.mark.parametrize("password", ["", " ", "\t\n"])
    def test_a_blank_password_is_denied(self, directory: Directory, user: str, password: str) -> None:
        with pytest.raises(AccessDenied):
            directory.authenticate(user, password)

    @pytest.mark.parametrize(
        "user", ["", "*", "ad*", "ADA", "ada ", "ada)(uid=*", "ada\0", "nobody", "uid=ada,dc=x", "a" * 300]
    )
    def test_a_user_who_is_not_there_is_denied(self, directory: Directory, user: str) -> None:
        with pytest.raises(AccessDenied):
            directory.authenticate(user, "correct horse")
        assert directory.find(user) is None

    def test_the_words_do_not_tell_a_wrong_user_from_a_wrong_password(self, directory: Directory) -> None:
        with pytest.raises(AccessDenied) as user:
            directory.authenticate("nobody", "correct horse")
        with pytest.raises(AccessDenied) as password:
            directory.authenticate("ada", "wrong horse")
        assert str(user.value) == str(password.value)
        assert repr(user.value) == repr(password.value)

    def test_the_audit_log_is_told_a_wrong_user_from_a_wrong_password(self, directory: Directory) -> None:
        with pytest.raises(AccessDenied) as user:
            directory.authenticate("nobody", "correct horse")
        with pytest.raises(AccessDenied) as password:
            directory.authenticate("ada", "wrong horse")
        assert "no user 'nobody'" in user.value.reason
        assert "password of 'ada' is wrong" in password.value.reason

    def test_a_password_is_told_nowhere(self, directory: Directory) -> None:
        with pytest.raises(AccessDenied) as denied:
            directory.authenticate("ada", "s3cret-and-wrong")
        error = denied.value
        told = f"{error!r} {error} {error.reason} {error.__cause__!r} {error.__context__!r} {directory!r}"
        assert "s3cret" not in told
        assert "correct horse" not in told

    @pytest.mark.parametrize("user", PEOPLE)
    def test_a_person_is_found_without_a_password(self, directory: Directory, user: str) -> None:
        assert directory.find(user) == Person(user, PEOPLE[user][1])

    def test_a_user_who_was_removed_is_denied(self, directory: Directory, forget: Callable[[str], None]) -> None:
        forget("ada")
        with pytest.raises(AccessDenied):
            directory.authenticate("ada", "correct horse")
        assert directory.find("ada") is None

    def test_a_directory_that_cannot_be_reached_denies_and_says_so(self, unreachable: Directory) -> None:
        with pytest.raises(AccessDenied, match="cannot be reached"):
            unreachable.authenticate("ada", "correct horse")
        with pytest.raises(AccessDenied, match="cannot be reached"):
            unreachable.find("ada")
