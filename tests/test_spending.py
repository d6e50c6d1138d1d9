"""What is told counts once at each path, whoever executes it, and however often."""

from functools import reduce

from graphql.pyutils import Path

from gql_nda.spending import Spent


def path(text: str) -> Path:
    """``a.0.b`` as graphql-core has it."""
    keys = [int(key) if key.isdigit() else key for key in text.split(".")]
    found = reduce(lambda above, key: Path(above, key, None), keys, None)
    assert found is not None
    return found


def test_a_path_counts_once() -> None:
    spent = Spent()
    for where in ("a.0.x", "a.1.x", "a.0.x", "a.1.x"):
        spent.add(3, path(where))
    assert spent.total == 6


def test_what_is_at_no_path_counts_each_time() -> None:
    spent = Spent()
    spent.add(3)
    spent.add(3)
    assert spent.total == 6


def test_what_is_told_again_counts_again_once() -> None:
    spent = Spent()
    spent.add(3, path("a.0.b.x"))
    spent.add(4, path("a.0.b.y"))
    spent.add(5, path("a.0.c"))
    spent.repeat(path("a.0.b"), path("a.1.b"))
    spent.repeat(path("a.0.b"), path("a.1.b"))
    assert spent.total == 12 + 7
    spent.add(3, path("a.1.b.x"))  # executed there after all
    assert (spent.total, spent.below(path("a.1"))) == (19, 7)


def test_what_is_told_again_is_told_again_with_what_holds_it() -> None:
    spent = Spent()
    spent.add(1, path("a.0.b.0.x"))
    for i in range(1, 10):
        spent.repeat(path("a.0.b.0"), path(f"a.0.b.{i}"))
    for i in range(1, 10):
        spent.repeat(path("a.0.b"), path(f"a.{i}.b"))
    assert spent.total == 100
    spent.add(1, path("a.7.b.7.x"))
    assert spent.total == 100


def test_nothing_told_again_is_nothing() -> None:
    spent = Spent()
    spent.repeat(path("a.0"), path("a.1"))
    assert spent.total == spent.below(path("a.1")) == 0
