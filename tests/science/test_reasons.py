"""Why results are missing."""

from gql_nda.science.reasons import joined, reasons


def test_texts_that_there_are_become_one() -> None:
    assert joined("dark", None, "late", "") == "dark; late"
    assert joined(None) is joined() is None


def test_reasons_that_hold_are_joined() -> None:
    assert reasons(3, ([True, False, True], "dark"), ([True, False, False], "late")) == ["dark; late", None, "dark"]


def test_one_condition_may_hold_for_all() -> None:
    assert reasons(2, (True, "no clip"), (False, "late")) == ["no clip", "no clip"]
    assert reasons(0, (True, "no clip")) == []
    assert reasons(1) == [None]
