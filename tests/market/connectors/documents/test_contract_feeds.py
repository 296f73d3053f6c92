"""Contract tests of feeds, built from the RSS 2.0, RSS 1.0 and Atom (RFC 4287) specifications; and hostile XML."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.market.connectors.documents.feeds import plain
from mercato.market.connectors.documents.xml import tree
from tests.market.connectors.documents.raws import read, rows

PARSER = "documents.feed/1"
OPTIONS = {"feed": "https://news.example.org/rss"}
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title>
<item><title>Lending pool pays more interest</title><link>https://news.example.org/1</link><guid>g1</guid>
<pubDate>Fri, 14 Feb 2025 10:00:00 +0100</pubDate><dc:creator>Ada</dc:creator>
<description>&lt;p&gt;Borrow against collateral, yield on stablecoin deposits&lt;/p&gt;</description></item>
<item><title>No date</title><guid>g2</guid></item>
<item><title>Odd date</title><guid>g3</guid><pubDate>soon</pubDate></item>
<item><title>Soup</title><link>https://news.example.org/4</link><pubDate>Fri, 14 Feb 2025 09:00:00 GMT</pubDate></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry><id>urn:1</id><title>A</title>
<author><name>Bob</name></author><updated>2025-02-14T08:00:00Z</updated><link href="https://x.example/1"/>
<content type="html">autonomous agents call tools</content></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="https://x.example/9"><title>A</title>
<dc:date>2025-02-13T00:00:00+00:00</dc:date></item></rdf:RDF>"""


def test_rss_2_gives_articles_and_names_the_bad_ones():
    parsed = read(PARSER, RSS, OPTIONS)

    first, last = rows(parsed, "documents")
    assert (first["doc_id"], first["author"]) == ("g1", "Ada")
    assert first["created_at"] == datetime(2025, 2, 14, 9, tzinfo=UTC)
    assert (last["doc_id"], last["author"]) == ("https://news.example.org/4", "news.example.org")
    assert [(reject.row, "date" in reject.reason) for reject in parsed.rejected] == [(2, True), (3, True)]
    assert [(row["doc_id"], row["narrative"]) for row in rows(parsed, "labels")] == [("g1", "DeFi")]


@pytest.mark.parametrize(
    ("feed", "key", "author"), [(ATOM, "urn:1", "Bob"), (RDF, "https://x.example/9", "news.example.org")]
)
def test_atom_and_rss_1_give_articles_too(feed, key, author):
    (row,) = rows(read(PARSER, feed, OPTIONS), "documents")

    assert (row["doc_id"], row["author"]) == (key, author)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB + "]><rss>&j;</rss>", "document type"),
        ('<!DOCTYPE rss SYSTEM "file:///etc/passwd"><rss/>', "document type"),
        ("﻿<!DOCTYPE rss><rss/>", "document type"),
        ("<rss><channel>", "not well formed"),
        ("", "not well formed"),
        ("<html/>", "root element was 'html'"),
        ("<rss>" * 100 + "</rss>" * 100, "nested deeper"),
        ('<?xml version="1.0" encoding="no-such"?><rss/>', "encoding"),
        ("<rss>&nbsp;</rss>", "not well formed"),
    ],
)
def test_hostile_or_broken_xml_is_rejected_as_a_whole(content, reason):
    parsed = read(PARSER, content, OPTIONS)

    assert [reject.row for reject in parsed.rejected] == [0]
    assert reason in parsed.rejected[0].reason


def test_a_document_type_in_utf_16_is_refused_too():
    content = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE rss [<!ENTITY a "b">]><rss>&a;</rss>'.encode("utf-16")

    assert "document type" in read(PARSER, content, OPTIONS).rejected[0].reason


@given(content=st.binary(max_size=200))
def test_any_bytes_end_in_rows_or_rejects(content):
    assert read(PARSER, b"<rss>" + content, OPTIONS).rejected


@given(
    text=st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="<>&\ufffe\uffff")
    )
)
def test_text_of_an_element_is_kept(text):
    assert tree(f"<a>{text}</a>".encode()).text == text.strip()


def test_markup_of_a_summary_is_left_out():
    assert plain("<p>one<script>two()</script> <b>three</b> &amp; four</p>") == "one three & four"
