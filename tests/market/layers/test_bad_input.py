"""Each kind of bad input: a clear error, or a quarantine entry with file, row and reason; other rows survive."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from mercato.core.errors import InvalidInput

HEADER = b"asset_id,field,valid_time,value\n"
GOOD = "aaa,price_usd,2025-05-01,1.5\nbbb,price_usd,2025-05-01,2.5\n"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("aaa,price_usd,2025-05-02", "malformed row: it had 3 columns, expected 4"),
        ("aaa,price_usd,2025-05-02,1,2", "malformed row: it had 5 columns, expected 4"),
        ('aaa,price_usd,"2025-05-02,1', "malformed row:"),
        ("aaa,price_usd,2025-05-02,dear", "malformed number: value was 'dear'"),
        ("aaa,price_usd,2025-05-02,", "malformed number: value was ''"),
        ("aaa,price_usd,2025-05-02,1_000", "malformed number: value was '1_000'"),
        ("aaa,price_usd,2025-13-02,1", "malformed time: valid_time was '2025-13-02'"),
        ("aaa,price_usd,2025-05-02,-1", "out of range: price_usd was -1.0, expected a number above 0"),
        ("aaa,price_usd,2025-05-02,0", "out of range: price_usd was 0.0"),
        ("aaa,supply_circulating,2025-05-02,-1", "out of range: supply_circulating was -1.0, expected a number 0 or"),
        ("aaa,price_usd,2025-05-02,nan", "not finite: value was nan"),
        ("aaa,price_usd,2025-05-02,inf", "not finite: value was inf"),
        ("aaa,price_usd,2025-06-01T12:11:00Z,1", "in the future: valid_time was 2025-06-01T12:11:00+00:00"),
        ("zzz,price_usd,2025-05-02,1", "unknown asset: asset_id was 'zzz'"),
        ("BBB,price_usd,2025-05-02,1", "unknown asset: asset_id was 'BBB', a ticker; tickers clash"),
        ("aaa,prize_usd,2025-05-02,1", "unknown field: field was 'prize_usd'; valid fields: price_usd"),
        ("aaa,price_usd,2025-05-01,1.5", "duplicate: identical to row 1"),
        ("aaa,price_usd,2025-05-01,9", "duplicate: value was 9.0, in conflict with 1.5 of row 1, which stays"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_place_and_the_others_survive(market, assets, file, line, reason):
    path = file(GOOD + line + "\naaa,price_usd,2025-05-03,3\n")

    receipt = market.import_file(path, "test", assets=assets)

    (entry,) = market.quarantine()
    assert receipt.rows == {"observations": 3}
    assert receipt.rejected == 1
    assert (entry.file, entry.row) == ("rows.csv", 3)
    assert entry.reason.startswith(reason)
    assert entry.text


def test_rows_of_another_encoding_are_quarantined(market, assets, file):
    path = file(HEADER + GOOD.encode() + "äää,price_usd,2025-05-02,1\n".encode("latin-1"))

    market.import_file(path, "test", assets=assets)

    (entry,) = market.quarantine()
    assert (entry.row, entry.reason) == (3, "wrong encoding: byte 0 was 0xe4, which is not UTF-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "rows.csv: the file was empty"),
        (b"asset_id,field,valid_time\n", "expected 'asset_id, field, valid_time, value'"),
        (b"asset_id,field,time,value\n", "missing: valid_time; not expected: time"),
        (HEADER.replace(b"value", b"value,note"), "not expected: note"),
        (HEADER.replace(b"field", b"value"), "appeared twice"),
        ((HEADER + GOOD.encode()).decode().encode("utf-16"), "UTF-16"),
        (b"\x00\x01\x02\x03", "NUL"),
        (b"PAR1 and nothing else", "Parquet file was not readable"),
    ],
)
def test_a_file_that_is_unusable_as_a_whole_is_an_error_that_says_why(market, assets, file, content, message):
    with pytest.raises(InvalidInput) as caught:
        market.import_file(file(content), "test", assets=assets)

    assert message in str(caught.value)
    assert market.segments() == []


FORMS = {
    "byte-order-mark": b"\xef\xbb\xbf" + HEADER + GOOD.encode(),
    "carriage-returns": (HEADER + GOOD.encode()).replace(b"\n", b"\r\n"),
    "no-last-line-end": HEADER + GOOD.encode().rstrip(b"\n"),
    "quotes": HEADER + GOOD.replace("price_usd", '"price_usd"').encode(),
    "empty-lines": HEADER + b"\n" + GOOD.encode() + b"\n\n",
    "other-order": b"value,valid_time,field,asset_id\n1.5,2025-05-01,price_usd,aaa\n2.5,1746057600,price_usd, bbb\n",
    "gzip": gzip.compress(HEADER + GOOD.encode()),
    "two-gzip-members": gzip.compress(HEADER) + gzip.compress(GOOD.encode()),
    "zstd": zstandard.compress(HEADER + GOOD.encode()),
}


# Named, because gzip writes the time of day into its bytes, and both workers must see the same tests.
@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_harmless_differences_of_form_change_nothing(market, assets, file, content):
    receipt = market.import_file(file(content), "test", assets=assets)

    assert (receipt.rows, receipt.rejected) == ({"observations": 2}, 0)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_a_truncated_stream_gives_the_whole_rows_before_the_cut(market, assets, file, compress):
    lines = [f"aaa,price_usd,{1746057600 + n},{n * 7919 % 9973 + 1}\n" for n in range(12_000)]
    whole = compress(HEADER + "".join(lines).encode())

    receipt = market.import_file(file(whole[:-20]), "test", assets=assets)

    (entry,) = market.quarantine()
    kept = receipt.rows["observations"]
    assert 0 < kept < 12_000
    assert entry.row == kept + 1
    assert entry.reason.startswith("truncated: the")


def test_a_repeat_that_lies_far_away_is_found(market, assets, file, monkeypatch):
    monkeypatch.setattr("mercato.market.layers.textrows.BLOCK", 200)
    lines = [f"aaa,price_usd,2025-05-{day:02},{day}\n" for day in range(1, 31)]
    path = file("".join(lines) + "aaa,price_usd,2025-05-02,99\n")

    receipt = market.import_file(path, "test", assets=assets)

    (entry,) = market.quarantine()
    assert receipt.rows == {"observations": 30}
    assert (entry.row, entry.reason) == (31, "duplicate: value was 99.0, in conflict with 2.0 of row 2, which stays")


def test_parquet_is_read_with_its_own_types(market, assets, tmp_path):
    path = tmp_path / "rows.parquet"
    moments = pa.array([1746057600000, 1746144000000], pa.timestamp("ms"))
    prices = {"asset_id": ["aaa", "zzz"], "field": ["price_usd"] * 2, "valid_time": moments, "value": [1, 2]}
    pq.write_table(pa.table(prices), path)

    receipt = market.import_file(path, "test", assets=assets)

    assert (receipt.rows, receipt.reasons) == ({"observations": 1}, {"unknown asset": 1})


def test_many_bad_rows_are_counted_and_the_first_of_them_are_shown(market, assets, file):
    receipt = market.import_file(file(GOOD + "zzz,price_usd,2025-05-01,1\n" * 1500), "test", assets=assets)

    entries = market.quarantine(limit=5000)
    assert receipt.rejected == 1500
    assert len(entries) == 1001
    assert entries[0].reason == "unknown asset: 500 more rows were refused for this reason"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('symbol = "A"', "field 'asset_id' is missing"),
        ('asset_id = "a"\nsymbol = "A"\nname = "A"\nkind = "coin"', "kind was 'coin'"),
        ('asset_id = "a"\nsymbol = "A"\nname = "A"\nkind = "token"\nwarps = "b"', "field 'warps' is unknown"),
        ('asset_id = "a"\nsymbol = "A"\nname = "A"\nkind = "token"\nwraps = "b"', "wraps 'b', which does not exist"),
        ('asset_id = "a"\nsymbol = "A"\nname = "A"\nkind = "token"\nwraps = "a"', "wraps itself"),
        ('asset_id = "a"\nsymbol = "A"\nname = "A"\nkind = "token"\nactive_from = "soon"', "active_from was 'soon'"),
    ],
)
def test_an_assets_file_is_refused_with_entry_and_field(market, file, tmp_path, entry, message):
    path = tmp_path / "wrong.toml"
    path.write_text(f"[[assets]]\n{entry}\n")

    with pytest.raises(InvalidInput) as caught:
        market.import_file(file(GOOD), "test", assets=path)

    assert message in str(caught.value)
    assert market.segments() == []
