"""``landfall spark prepare``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spark_jobs.session import java

# A process whose environment is another: the archive is made beside that one, and nothing of ours is touched.
_MAKE = "import sys; sys.prefix = sys.argv[1]; from spark_jobs.session.classes import make; print(make())"
_USE = """
import sys
sys.prefix = sys.argv[1]
from pathlib import Path
from conf.settings import Settings
from spark_jobs.session import driver
conf = {"spark.driver.extraJavaOptions": f"-Xlog:class+load:file={sys.argv[1]}/loaded"}
spark = driver.start(Settings(env="test", home=Path(sys.argv[1]) / "home", spark={"conf": conf}))
assert spark.range(7).count() == 7
"""


@pytest.mark.slow
def test_a_session_takes_its_classes_from_the_archive_that_prepare_made(tmp_path: Path) -> None:
    made = _python(_MAKE, tmp_path)
    assert [Path(made.strip())] == [*(tmp_path / "share" / "landfall").iterdir()]
    assert Path(made.strip()).name == java.archive().name
    _python(_USE, tmp_path)
    loaded = [line for line in (tmp_path / "loaded").read_text().splitlines() if "org.apache.spark." in line]
    archived = [line for line in loaded if "shared objects file" in line]
    assert len(archived) > len(loaded) / 2 > 500


def _python(code: str, prefix: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, str(prefix)], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
