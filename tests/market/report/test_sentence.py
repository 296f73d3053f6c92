from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.model import Figure
from mercato.market.report.book import claim
from mercato.market.report.sentence import require_cited, violations

FIGURE = Figure("fig_a", "sector-level", "level", "1234567890.12", "usd", date(2025, 2, 14), "M3.1", "i" * 64)
words = st.text(alphabet=st.characters(categories=["Ll", "Lu", "Zs"]), max_size=20)


@given(words, st.from_regex(r"[0-9]+([.,][0-9]+)?%?", fullmatch=True), words)
def test_a_digit_outside_a_slot_never_passes(before, number, after):
    assert violations(f"{before} {number} {after}", {"level"})


@given(st.sampled_from(["twelve", "half", "DOUBLED", "a million", "tenfold", "Ⅻ", "½", "٣"]))
def test_a_number_in_words_or_in_another_script_never_passes(number):
    assert violations(f"The sector is {number} of what it was", set())


@pytest.mark.parametrize("text", ["{unknown}", "{level", "level}", "{{level}}", "{level!r}"])
def test_a_slot_without_a_figure_and_a_stray_brace_never_pass(text):
    assert violations(text, {"level"})


def test_a_cited_sentence_passes_and_an_uncited_one_says_which_number():
    require_cited("The sector is worth {fig_a}.", {"fig_a"})

    with pytest.raises(InvalidInput, match=r"number '9\.2' has no figure id"):
        require_cited("The sector is worth {fig_a}, 9.2 billion.", {"fig_a"})


def test_a_claim_with_a_number_of_its_own_cannot_be_made():
    with pytest.raises(InvalidInput, match="'12'"):
        claim("k", "Flat for 12 days at {level}", "it is not", otherwise="Unknown.", why="", level=FIGURE)


def test_a_claim_without_its_figure_is_unknown_and_says_why():
    made, cited = claim("k", "It is {level}", "{level} is wrong", otherwise="It is unknown.", why="no data", level=None)

    assert (made.text, made.state, made.reason, cited) == ("It is unknown.", "unknown", "no data", ())


def test_markdown_keeps_the_blanks_around_numbers():
    from mercato.market.report.markdown import _literal

    assert [_literal(text) for text in (" at the\n close of ", ": x", " ", "")] == [" at the close of ", ": x", " ", ""]
