"""Settings: ``<LANDFALL_CONF>/<LANDFALL_ENV>.toml``, overridden by ``LANDFALL_<SECTION>__<NAME>``.

One frozen object, read once a process. Secrets are never settings: a setting may name the file that holds one.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from conf.at_odds import at_odds
from conf.environment import variables
from conf.errors import ConfigError
from conf.files import conf_directory
from conf.problems import dotted, sentences
from conf.sections import (
    Auth,
    Hdfs,
    Images,
    Lake,
    Landing,
    Ldap,
    Lineage,
    Lines,
    Log,
    Mongo,
    Query,
    Section,
    Sftp,
    Spark,
    Web,
    Workflows,
)
from conf.sources import Sources

__all__ = [
    "Auth",
    "Env",
    "Hdfs",
    "Images",
    "Lake",
    "Landing",
    "Ldap",
    "Lineage",
    "Lines",
    "Log",
    "Mongo",
    "Query",
    "Section",
    "Setting",
    "Settings",
    "Sftp",
    "Spark",
    "Web",
    "Workflows",
    "conf_directory",
    "describe",
    "load_settings",
]

Env = Literal["dev", "test", "prod"]


class Settings(BaseSettings):
    """All settings. What is given in code goes before variables, and those before the file.

    ConfigError tells every mistake in the file, the variables and what was given.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, nested_model_default_partial_update=True)

    env: Env = Field("dev", description="which environment this is: names the settings file and stamps the lake")
    home: Path = Field(Path("var"), description="where state lies that has no place of its own")
    lake: Lake = Lake()
    hdfs: Hdfs = Hdfs()
    landing: Landing = Landing()
    sftp: Sftp = Sftp()
    lines: Lines = Lines()
    web: Web = Web()
    images: Images = Images()
    mongo: Mongo = Mongo()
    spark: Spark = Spark()
    auth: Auth = Auth()
    ldap: Ldap = Ldap()
    query: Query = Query()
    workflows: Workflows = Workflows()
    log: Log = Log()
    lineage: Lineage = Lineage()

    def __init__(self, **given: Any) -> None:
        sources = _sources(given)
        problems = list(sources.problems)
        try:
            super().__init__(**given)
        except ValidationError as error:
            problems += sentences(error, Settings, sources.subject)
        problems += at_odds(sources)
        if problems:
            raise ConfigError(*problems)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Our own reading of variables and file: pydantic-settings passes over a variable that it does not know."""
        sources = _sources(init_settings())
        layers = (sources.variables, sources.content)
        return init_settings, *(InitSettingsSource(settings_cls, init_kwargs=dict(layer)) for layer in layers)

    @property
    def lake_base(self) -> str:
        """Path of the lake's root, which is stamped with its environment; on HDFS the URL's path."""
        if "://" in self.lake.url:
            return urlsplit(self.lake.url).path.rstrip("/")
        return self.lake.url or str(self.home.absolute() / "lake")

    @property
    def lake_root(self) -> str:
        """The lake's directory of this environment."""
        return f"{self.lake_base}/{self.env}"

    @property
    def landing_root(self) -> Path:
        return Path(self.landing.root) if self.landing.root else self.home.absolute() / "landing"

    @property
    def store_root(self) -> Path:
        """Directory of the SQLite image stores."""
        return Path(self.images.url) if self.images.url else self.home.absolute() / "images"

    @property
    def modules_root(self) -> Path:
        """Directory of the clients' Python modules."""
        return Path(self.workflows.modules) if self.workflows.modules else conf_directory().absolute() / "modules"

    @property
    def log_root(self) -> Path:
        return self.home.absolute() / "logs"


@functools.cache
def load_settings() -> Settings:
    """The settings of this process; ConfigError with every mistake."""
    return Settings()


class Setting(NamedTuple):
    """One setting, for a person: ``default`` is written as in TOML."""

    name: str
    variable: str
    default: str
    description: str


def describe() -> list[Setting]:
    """Every setting, in the order of the settings."""
    return [
        Setting(dotted(loc), variable, json.dumps(field.default, default=str), field.description or "")
        for variable, loc, field in variables(Settings)
    ]


def _sources(given: dict[str, Any]) -> Sources:
    return Sources.read(Settings, get_args(Env), given)
