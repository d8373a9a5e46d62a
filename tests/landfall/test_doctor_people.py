"""What the doctor says of directory servers."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from conf.settings import load_settings
from landfall.doctor.people import people
from tests.servers import free_port
from tests.servers.ldap import running


def test_each_server_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path / "conf"))
    with running(tmp_path / "slapd", trustme.CA()) as slapd:
        none = f"ldaps://localhost:{free_port()}"
        (tmp_path / "conf" / "test.toml").write_text(slapd.toml(url=f"{none} {slapd.ldaps} {slapd.ldap}"))
        found = {one.what: (one.state, one.found) for one in people(load_settings())}
        assert found == {
            none: ("ill", f"The directory cannot be reached ({none}: it refuses the connection)."),
            slapd.ldaps: ("well", "encrypted, certificate and name checked"),
            slapd.ldap: ("well", "encrypted, certificate and name checked"),
        }
        slapd.password_file.write_text("wrong")
        load_settings.cache_clear()
        (one,) = (one for one in people(load_settings()) if one.what == slapd.ldaps)
        assert one.state == "ill"
        assert "does not accept the service account" in one.found
