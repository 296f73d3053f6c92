"""Engines for the tests of the market room, and the research data where it is present."""

import os
import shutil
import warnings
from pathlib import Path

import pytest

from mercato.store.analytics import Engine, duckdb_engine, spark_engine
from tests.profiles import PROFILE

ROOT = Path(__file__).resolve().parents[2]
#: Java optimises what a long-lived cluster runs again and again; tests run each query once, and end sooner without.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
#: For the same reason: few rows need one partition and no plan made anew between stages, and compiling a query takes
#: longer than to interpret it. At night Spark runs as it comes.
SMALL = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
}


def pytest_collection_modifyitems(items):
    """Spark's own Python code warns about pandas and leaves sockets to the garbage collector; that is not ours."""
    for item in items:
        if item.get_closest_marker("spark"):
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def duck():
    """A DuckDB engine for the whole run."""
    with duckdb_engine(threads=2) as engine:
        yield engine


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """A local Spark engine for the whole run; skips where no Java is installed."""
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("no Java is installed, which Spark needs")
    os.environ.setdefault("SPARK_LOCAL_DIRS", str(tmp_path_factory.mktemp("spark")))
    os.environ.setdefault("JAVA_TOOL_OPTIONS", SHORT_LIVED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Spark's own Python code warns about its dependencies
        engine = spark_engine("local[2]")
    for name, value in {"nightly": {}}.get(PROFILE, SMALL).items():
        engine.session.conf.set(name, value)
    yield engine
    engine.close()


@pytest.fixture
def engine(request) -> Engine:
    """The engine named by an indirect parameter: `duck` or `spark`."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Engine)
    return found


@pytest.fixture(scope="session")
def research():
    """The folder of real market data, named by MERCATO_RESEARCH_DATA or found beside the repository."""
    folder = Path(os.environ.get("MERCATO_RESEARCH_DATA") or ROOT.parent / "shared" / "data" / "market")
    if not folder.is_dir():
        pytest.skip(f"no research data at {folder}; set MERCATO_RESEARCH_DATA")
    return folder
