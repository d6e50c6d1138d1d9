"""Keys as text: each key has one text, and no other text is taken for it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Integer

from gql_nda import tables as t
from gql_nda.errors import BadUserInput
from gql_nda.keys import decode64, decode_id, encode64, encode_id, format_key, parse_key, parse_str_key, str_key
from gql_nda.tables import TABLES

INT32 = st.integers(-(2**31), 2**31 - 1)
HASH = st.text(alphabet="ABCabc019+/", min_size=1, max_size=20)


@st.composite
def keys(draw: st.DrawFn) -> tuple[Any, tuple[Any, ...]]:
    """A table and a key that a row of it could have."""
    table = draw(st.sampled_from(list(TABLES.values())))
    return table, tuple(draw(INT32 if isinstance(c.type, Integer) else HASH) for c in table.primary_key)


@settings(max_examples=300)
@given(keys())
def test_a_key_reads_back(one: tuple[Any, tuple[Any, ...]]) -> None:
    table, key = one
    text = format_key(table, key)
    assert text.isascii()
    assert not set(text) & set("/+=%?# ")
    assert parse_key(table, text) == key
    assert decode_id(encode_id("Type", table, key)) == ("Type", text)


@settings(max_examples=500)
@given(st.text(alphabet="0123456789.-+_ e\u0661x\n", max_size=12))
def test_no_two_texts_are_one_key(text: str) -> None:
    try:
        key = parse_key(t.scan, text)
    except BadUserInput:
        return
    assert format_key(t.scan, key) == text


@pytest.mark.parametrize(
    "text", ["04.7", "4.07", "-0.7", "4.-0", "00.7", "--4.7", "4.7\n", "2147483648.7", "4.-2147483649"]
)
def test_a_number_is_written_plainly(text: str) -> None:
    with pytest.raises(BadUserInput, match="is not a number as the key has it"):
        parse_key(t.scan, text)


def test_errors_are_short_and_name_the_form() -> None:
    with pytest.raises(BadUserInput, match=r"is not of the form session\.scan_idx\.unit_id") as wrong:
        parse_key(t.scan_unit, "9" * 10_000)
    assert len(wrong.value.message) < 200
    with pytest.raises(BadUserInput) as wrong:
        parse_key(t.scan_unit, "9" * 10_000 + ".1.1")
    assert len(wrong.value.message) < 200


# --- base64url -------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.binary())
def test_base64_reads_what_it_wrote(data: bytes) -> None:
    assert decode64(encode64(data)) == data


@settings(max_examples=300)
@given(st.text(alphabet="ABCabc019-_+/=. \n\u00e9", max_size=9))
def test_base64_reads_nothing_else(text: str) -> None:
    try:
        data = decode64(text)
    except ValueError:
        return
    assert encode64(data) == text


# --- names of units --------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.integers(0, 99_999), st.integers(0, 99_999), st.integers(0, 999_999_999))
def test_a_units_name_reads_back(session: int, scan_idx: int, unit_id: int) -> None:
    assert parse_str_key(str_key(session, scan_idx, unit_id)) == (session, scan_idx, unit_id)


@settings(max_examples=300)
@given(st.from_regex(r"[0-9]{1,6}_[0-9]{1,6}_[0-9]{1,10}\n?", fullmatch=True))
def test_no_two_names_are_one_unit(text: str) -> None:
    try:
        key = parse_str_key(text)
    except BadUserInput:
        return
    assert str_key(*key) == text


@pytest.mark.parametrize("text", ["004_07_000001", "04_007_000001", "04_07_0000001", "4_07_000001", "04_07_000001\n"])
def test_a_units_name_is_padded_so_and_no_further(text: str) -> None:
    with pytest.raises(BadUserInput, match="04_07_000001"):
        parse_str_key(text)
