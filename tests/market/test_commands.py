"""The commands as a stranger meets them: a clear refusal with a hint, and the headline at the top of the JSON."""

import json
import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from mercato.cli.root import main
from mercato.core.errors import ConfigError
from mercato.core.settings import load
from mercato.market.settings import MarketSettings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MERCATO_HOME", str(tmp_path / "a home"))
    return tmp_path


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main(["market", *arguments])
    out, err = capsys.readouterr()
    return stop.value.code or 0, out, err


TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("metric", "sector-level", "--as-of", TOMORROW), "is in the future"),
        (("metric", "sector-level", "--as-of", "0001-01-08"), "give a day from 1990-01-01 on"),
        (("metric", "sector-level", "--as-of", "2025-01-08", "--days", "999999"), "--days"),
        (("import", ".", "--source", "s"), "which is a folder"),
    ],
    ids=["future", "ancient", "too-long", "folder"],
)
def test_a_wrong_question_exits_with_2_and_says_why(capsys, arguments, said):
    code, _, err = run(capsys, *arguments)

    assert code == 2
    assert said in err


def test_a_missing_mapping_and_a_header_without_rows_are_refused(capsys, home):
    rows = home / "rows.csv"
    rows.write_text("asset_id,field,valid_time,value\n")

    missing = run(capsys, "import", str(rows), "--source", "s", "--mapping", str(home / "none.toml"))
    empty = run(capsys, "import", str(rows), "--source", "s")

    assert (missing[0], "cannot be read" in missing[2]) == (2, True)
    assert (empty[0], "a header and no rows" in empty[2]) == (2, True)


@pytest.mark.parametrize("name", ["sector-level", "platform-share", "mindshare", "developers", "giants"])
def test_without_data_the_headline_is_null_with_an_id_and_a_hint(capsys, name):
    code, out, err = run(capsys, "metric", name, "--as-of", "2025-02-14", "--json")

    body = json.loads(out)
    assert code == 0
    assert body["value"] is None
    assert body["figure"] in {figure["id"] for figure in body["figures"]}
    assert ("mercato market import" in err) == ("no-data" in body["flags"])


def test_seeds_of_the_settings_are_named_with_their_source(home):
    text = tomllib.loads('seeds = ["b:two", "a:one", "b:two"]')

    assert MarketSettings(**text).seeds == ("a:one", "b:two")
    (home / "mercato.toml").write_text('[market]\nseeds = ["someone"]\n')
    with pytest.raises(ConfigError, match="write source:account"):
        load(MarketSettings, home=home)
