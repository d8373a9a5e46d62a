"""What Spark is told, and that no secret of it is on a command line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from conf.errors import AccessDenied, ConfigError
from conf.settings import Settings
from spark_jobs.session.properties import properties, properties_file


def settings(home: Path, **spark: Any) -> Settings:
    return Settings(env="test", home=home, spark={"master": "local[2]", **spark})


def test_the_file_is_private_holds_the_secrets_and_goes_away(tmp_path: Path) -> None:
    secret = tmp_path / "secret.conf"
    secret.write_text("spark.authenticate.secret wonder\n")
    secret.chmod(0o600)
    given = settings(tmp_path, properties_file=str(secret), conf={"spark.a:b": " c\\d\ne"})
    with properties_file(given) as file:
        assert file.stat().st_mode & 0o777 == 0o600
        text = file.read_text()
    assert "\nspark.authenticate.secret wonder\n" in text
    assert "\nspark.a\\:b \\ c\\\\d\\ne\n" in text
    assert not file.exists()


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.conf"
    secret.write_text("spark.authenticate.secret wonder\n")
    secret.chmod(0o644)
    given = settings(tmp_path, properties_file=str(secret))
    with pytest.raises(AccessDenied, match="chmod 600"), properties_file(given):
        pass
    secret.unlink()
    with pytest.raises(ConfigError, match="properties_file"), properties_file(given):
        pass


@pytest.mark.parametrize(
    "name",
    [
        "spark.authenticate.secret",
        "spark.ssl.keyPassword",
        "spark.hadoop.fs.s3a.secret.key",
        "spark.hadoop.fs.s3a.access.key",
        "spark.connect.authenticate.token",
        "spark.kubernetes.authenticate.oauthToken",
    ],
)
def test_secrets_are_no_settings(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"spark\.properties_file") as refused:
        settings(tmp_path, conf={name: "wonder"})
    assert "wonder" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "spark.kerberos.keytab",
        "spark.ssl.keyStore",
        "spark.io.encryption.keySizeBits",
        "spark.kubernetes.authenticate.oauthTokenFile",
        "spark.hadoop.dfs.encryption.key.provider.uri",
        "spark.executor.extraJavaOptions",
    ],
)
def test_what_only_sounds_like_a_secret_is_a_setting(tmp_path: Path, name: str) -> None:
    assert settings(tmp_path, conf={name: "x"}).spark.conf[name] == "x"


@pytest.mark.parametrize(
    "wrong",
    [
        {"master": "mesos://a:1"},
        {"master": "spark://"},
        {"remote": "http://a:1"},
        {"remote": "sc://a:1/;token=wonder"},
        {"remote": "sc://user@a:1"},
        {"remote": "sc://a:99999"},
    ],
)
def test_what_spark_is_reached_by(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as refused:
        settings(tmp_path, **wrong)
    assert len(refused.value.problems) == 1


@pytest.mark.parametrize("master", ["spark://a:7077,b:7077", "yarn", "k8s://https://a:6443"])
def test_every_cluster_is_asked_by_the_same_settings(tmp_path: Path, master: str) -> None:
    made = properties(settings(tmp_path, master=master, executors=2, executor_cores=3, executor_memory="2g"))
    assert made["spark.executor.memory"] == "2g"
    assert made["spark.executor.cores"] == "3"
    assert made["spark.executor.instances"] == "2"
    assert made["spark.cores.max"] == "6"
    assert made["spark.task.maxFailures"] == "4"
    assert "spark.dynamicAllocation.enabled" not in made
    assert "spark.local.dir" not in made
    assert made.get("spark.driver.host") is None


def test_executors_that_come_and_go(tmp_path: Path) -> None:
    made = properties(settings(tmp_path, master="yarn", executors=1, max_executors=5))
    assert made["spark.dynamicAllocation.enabled"] == "true"
    assert made["spark.dynamicAllocation.minExecutors"] == "1"
    assert made["spark.dynamicAllocation.maxExecutors"] == "5"
    assert "spark.executor.instances" not in made


def test_what_is_chosen_goes_before_what_we_choose(tmp_path: Path) -> None:
    made = properties(settings(tmp_path, conf={"spark.ui.enabled": "true"}))
    assert made["spark.ui.enabled"] == "true"
    assert made["spark.driver.host"] == "127.0.0.1"


def test_java_reads_the_file_as_it_was_meant(tmp_path: Path) -> None:
    value = " a\\b\tc=d:e#f!g ü"
    source = tmp_path / "Read.java"
    source.write_text(
        "import java.nio.file.*; import java.util.*; public class Read { public static void main(String[] a) throws"
        " Exception { var p = new Properties(); p.load(Files.newBufferedReader(Path.of(a[0])));"
        ' System.out.write(p.getProperty("spark.x=y").getBytes("UTF-8")); System.out.flush(); } }'
    )
    with properties_file(settings(tmp_path, conf={"spark.x=y": value})) as file:
        done = subprocess.run(["java", str(source), str(file)], capture_output=True, check=False)
    assert done.stdout.decode() == value, done.stderr
