"""A pytest plugin: a run in which a test was skipped for a reason of its own has failed.

``make test`` loads it. A test may only be skipped where the data beside the checkout is absent.
"""

import pytest

ALLOWED = "../shared/data is absent"


class Skips:
    """Notes the tests that were skipped for any other reason."""

    def __init__(self) -> None:
        self.unexpected: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file."""
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
            if reason.removeprefix("Skipped: ") != ALLOWED:
                self.unexpected.append(f"{report.nodeid}: {reason}")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which."""
        for line in self.unexpected:
            terminalreporter.write_line(f"must not be skipped: {line}", red=True)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail for them."""
        if self.unexpected and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    """Begin to note."""
    config.pluginmanager.register(Skips())
