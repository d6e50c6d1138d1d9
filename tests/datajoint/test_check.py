"""``gql-nda check`` on a database that DataJoint declared: nothing to say of nda itself, all of what differs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gql_nda.cli import main
from tests.datajoint.nda import Nda
from tests.support.mariadb import ADMIN, PASSWORD, MariaDb

Check = Callable[[str], tuple[int, list[str]]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the command; its exit code and the lines it wrote."""

    def run(url: str) -> tuple[int, list[str]]:
        monkeypatch.setenv("GQL_NDA_DATABASE", "")  # the flag sets it: to be taken back at the end
        code = main(["check", "--database", url])
        written = capsys.readouterr()
        return code, [*written.out.splitlines(), *written.err.splitlines()]

    return run


@pytest.fixture
def url(awkward: Nda, mariadb: MariaDb) -> str:
    return mariadb.url(awkward.name)


@contextmanager
def altered(mariadb: MariaDb, database: str, statement: str, undo: str) -> Iterator[None]:
    mariadb.execute(statement, database)
    try:
        yield
    finally:
        mariadb.execute(undo, database)


def of(severity: str, lines: list[str]) -> list[str]:
    return [line.removeprefix(severity).strip() for line in lines if line.startswith(severity)]


def test_a_database_that_datajoint_declared_is_well(check: Check, url: str, awkward: Nda) -> None:
    code, lines = check(url)
    assert (code, of("error", lines), of("warning", lines)) == (0, [], [])
    told = of("info", lines)
    assert "MariaDB" in told[0]
    counts = {f"{table.table_name}: {len(table())} rows" for table in awkward.tables.values()}
    assert set(told[1:]) == counts


@pytest.mark.parametrize(
    ("statement", "undo", "severity", "told"),
    [
        (
            "RENAME TABLE oracle TO mislaid",
            "RENAME TABLE mislaid TO oracle",
            "error",
            "oracle: the table is missing",
        ),
        (
            "ALTER TABLE scan_times CHANGE ndepths depths smallint NOT NULL",
            "ALTER TABLE scan_times CHANGE depths ndepths smallint NOT NULL",
            "error",
            "scan_times.ndepths: the column is missing",
        ),
        (
            "ALTER TABLE scan ADD extra int",
            "ALTER TABLE scan DROP extra",
            "warning",
            "scan.extra: a column that nda v8 lacks",
        ),
        (
            "ALTER TABLE trial MODIFY start_frame_time varchar(40) NOT NULL",
            "ALTER TABLE trial MODIFY start_frame_time double NOT NULL",
            "error",
            "trial.start_frame_time: is of type VARCHAR(40)",
        ),
        (
            "ALTER TABLE `#scan_include` RENAME TO scan_include",
            "ALTER TABLE scan_include RENAME TO `#scan_include`",
            "error",
            "#scan_include: the table is missing",
        ),
        (
            "ALTER TABLE raster_correction MODIFY raster_phase float NULL",
            "ALTER TABLE raster_correction MODIFY raster_phase float NOT NULL",
            "warning",
            "raster_correction.raster_phase: may be NULL",
        ),
        (
            "INSERT INTO stack SELECT 10, stack_idx, motor_z, motor_y, motor_x, px_depth, px_height, px_width, "
            "um_depth, um_height, um_width, surf_z FROM stack",
            "DELETE FROM stack WHERE stack_session = 10",
            "warning",
            "stack: more than one stack",
        ),
    ],
)
def test_what_differs_is_told(
    check: Check, url: str, mariadb: MariaDb, awkward: Nda, statement: str, undo: str, severity: str, told: str
) -> None:
    with altered(mariadb, awkward.name, statement, undo):
        code, lines = check(url)
    found = of("error", lines) + of("warning", lines)
    assert [line for line in of(severity, lines) if line.startswith(told)], lines
    assert all(line.startswith(told.split(".")[0].split(":")[0]) or "lacks" in line for line in found), found
    assert code == (1 if severity == "error" else 0)


def test_an_empty_database_lacks_all_29_tables(check: Check, mariadb: MariaDb) -> None:
    code, lines = check(mariadb.url(mariadb.create("bare")))
    assert (code, len(of("error", lines))) == (1, 29)


def test_tables_without_rows_are_told(check: Check, mariadb: MariaDb, awkward: Nda) -> None:
    with no_rows(mariadb, awkward.name, "treadmill"):
        code, lines = check(mariadb.url(awkward.name))
    assert (code, of("warning", lines)) == (0, ["treadmill: empty"])


@contextmanager
def no_rows(mariadb: MariaDb, database: str, table: str) -> Iterator[None]:
    mariadb.execute(f"CREATE TABLE aside LIKE {table}", database)
    mariadb.execute(f"INSERT INTO aside SELECT * FROM {table}", database)
    mariadb.execute(f"DELETE FROM {table}", database)
    try:
        yield
    finally:
        mariadb.execute(f"INSERT INTO {table} SELECT * FROM aside", database)
        mariadb.execute("DROP TABLE aside", database)


def test_a_user_who_may_write_is_told(check: Check, mariadb: MariaDb, awkward: Nda) -> None:
    code, lines = check(mariadb.url(awkward.name, user=ADMIN))
    (warning,) = of("warning", lines)
    assert warning.startswith("the user may write (ALL PRIVILEGES")
    assert code == 0


@pytest.mark.parametrize("right", ["INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER"])
def test_each_right_to_write_is_told(check: Check, mariadb: MariaDb, awkward: Nda, right: str) -> None:
    user = f"'may_{right.lower()}'@'127.0.0.1'"
    mariadb.execute(f"CREATE OR REPLACE USER {user}")
    mariadb.execute(f"GRANT SELECT, {right} ON `{awkward.name}`.* TO {user}")
    _, lines = check(f"mysql://may_{right.lower()}@127.0.0.1:{mariadb.port}/{awkward.name}")
    mariadb.execute(f"DROP USER {user}")
    assert of("warning", lines) == [f"the user may write ({right}); one with SELECT alone would do"]


def test_tables_that_the_user_may_not_read_are_told(check: Check, mariadb: MariaDb, awkward: Nda) -> None:
    user = "'short'@'127.0.0.1'"
    mariadb.execute(f"CREATE OR REPLACE USER {user}")
    mariadb.execute(f"GRANT SELECT ON `{awkward.name}`.scan TO {user}")
    mariadb.execute(f"GRANT SELECT (session, scan_idx) ON `{awkward.name}`.stimulus TO {user}")
    code, lines = check(f"mysql://short@127.0.0.1:{mariadb.port}/{awkward.name}")
    mariadb.execute(f"DROP USER {user}")
    assert code == 1
    assert len(of("error", lines)) == 28
    assert not any(line.startswith(("scan:", "scan.")) for line in of("error", lines))


@pytest.mark.parametrize("why", ["password", "database", "port", "host"])
def test_a_database_that_can_not_be_reached_is_one_plain_line(
    check: Check, mariadb: MariaDb, awkward: Nda, why: str
) -> None:
    url = mariadb.url(awkward.name)
    wrong = {
        "password": url.replace("pa%3Ass", "pasta"),
        "database": mariadb.url("nowhere"),
        "port": url.replace(f":{mariadb.port}/", ":1/"),
        "host": url.replace("127.0.0.1", "host.invalid"),
    }
    code, lines = check(wrong[why])
    assert code == 1
    (line,) = lines
    assert line.startswith("gql-nda: ")
    assert PASSWORD not in line
    assert "pasta" not in line
