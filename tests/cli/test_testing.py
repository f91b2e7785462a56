"""`craton-inv test`: what is run, with which environment, and what the table says."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from craton_inv.cli import needs, testing
from craton_inv.cli.needs import Need
from craton_inv.cli.testing import Check


def a_check(name: str, script: str) -> Check:
    return Check(name, [sys.executable, "-c", script])


def a_need(tmp_path: Path, tests: str = "") -> Need:
    """A need nobody can meet, and a test that says `tests`."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(tests)
    return Need("Gadget", "CRATON_INV_TEST_GADGET", ("no-such-gadget",), ("no-such-package",))


def test_every_check_is_run_in_order_and_extra_arguments_go_to_pytest() -> None:
    checks = testing.checks(full=False, arguments=["-k", "filters"])
    assert [one.name for one in checks] == ["ruff check", "ruff format", "mypy --strict", "import-linter", "pytest"]
    assert checks[-1].command[-2:] == ["-k", "filters"]
    assert not any("filters" in one.command for one in checks[:-1])


def test_full_runs_the_slow_tests_in_place_of_the_quick_ones() -> None:
    checks = testing.checks(full=True, arguments=["-x"])
    assert [one.name for one in checks][-2:] == ["import-linter", "pytest, full"]
    assert checks[-1].command[-3:] == ["-m", "full", "-x"]


def test_a_number_of_workers_given_by_the_user_wins() -> None:
    command = testing.checks(full=False, arguments=["-n0"])[-1].command
    assert [word for word in command if word.startswith("-n")] == ["-n0"]


def test_a_failure_does_not_hide_the_checks_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    three = [a_check("one", "print('first')"), a_check("two", "raise SystemExit(3)"), a_check("three", "print('last')")]
    monkeypatch.setattr(testing, "checks", lambda full, arguments: three)
    assert testing.run_all(tmp_path, full=False, arguments=[]) == 1
    said = capfd.readouterr().out
    assert said.index("first") < said.index("last")
    rows = [line.split() for line in said.partition("Checks\n")[2].splitlines()]
    assert [row[:2] for row in rows] == [["one", "passed"], ["two", "FAILED"], ["three", "passed"]]
    assert rows[1][2:4] == ["(status", "3)"]


def test_all_passed_is_status_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "checks", lambda full, arguments: [a_check("one", "pass")])
    assert testing.run_all(tmp_path, full=False, arguments=[]) == 0


def test_a_missing_tool_fails_its_check(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcome = testing.run(Check("gone", ["/no/such/tool"]), tmp_path, {})
    assert (outcome.status, outcome.passed) == (127, False)
    assert "cannot be run" in capfd.readouterr().out


def test_a_selection_without_slow_tests_is_no_failure(tmp_path: Path) -> None:
    nothing_selected = [sys.executable, "-c", "raise SystemExit(5)"]
    (check,) = [one for one in testing.checks(full=True, arguments=["-k", "x"]) if one.name == "pytest, full"]
    assert testing.run(Check("pytest, full", nothing_selected, check.fine), tmp_path, os.environ).passed
    assert testing.checks(full=True, arguments=[])[-1].fine == ()


def test_a_service_of_the_user_stays_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRATON_INV_DATABASE_URL", "postgresql://precious")
    monkeypatch.setenv("CRATON_INV_TEST_INVENTORIES", "/inventories")
    env = testing.environment(tmp_path)
    assert "CRATON_INV_DATABASE_URL" not in env
    assert env["CRATON_INV_TEST_INVENTORIES"] == "/inventories"


def test_a_program_no_test_uses_is_not_installed(tmp_path: Path) -> None:
    (found,) = needs.provide(tmp_path, [a_need(tmp_path)])
    assert needs.report([found]) == [
        "Gadget     cannot be had: not installed, and not needed (no test uses it)",
    ]


def test_what_cannot_be_had_is_listed_with_the_reason_and_its_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = needs.provide(tmp_path, [a_need(tmp_path, 'GADGET = os.environ["CRATON_INV_TEST_GADGET"]')])
    (line,) = needs.report([found])
    assert line == "Gadget     cannot be had: this machine has no apt-get (used by tests/test_it.py)"
    assert needs.environment([found]) == {}


def test_a_failed_installation_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text('#!/bin/sh\n[ "$1" = update ] || { echo "E: Unable to locate package $4" >&2; exit 100; }\n')
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (found,) = needs.provide(tmp_path, [a_need(tmp_path, '"CRATON_INV_TEST_GADGET"')])
    assert found.reason.endswith("failed: E: Unable to locate package no-such-package")


def test_a_program_that_is_here_is_handed_to_the_tests(tmp_path: Path) -> None:
    need = a_need(tmp_path)
    shell = Need("Shell", need.variable, ("sh",), ())
    assert needs.environment(needs.provide(tmp_path, [shell])) == {"CRATON_INV_TEST_GADGET": shutil.which("sh")}


def test_what_is_for_those_who_ask_for_it_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    known = a_need(tmp_path, '"CRATON_INV_TEST_GADGET"')
    asked_for = Need("Gadget", known.variable, ("tools/gadget",), (), "tests/install")
    (line,) = needs.report(needs.provide(tmp_path, [asked_for]))
    assert line == "Gadget     cannot be had: opt-in, tests/install installs it (used by tests/test_it.py)"
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "gadget").touch()
    found = needs.environment(needs.provide(tmp_path, [asked_for]))
    assert found == {"CRATON_INV_TEST_GADGET": str(tmp_path / "tools" / "gadget")}


@pytest.mark.parametrize("need", [need for need in needs.NEEDS if need.by], ids=lambda need: need.name)
def test_the_command_that_installs_a_need_is_there(need: Need) -> None:
    assert os.access(Path(__file__).parents[2] / need.by, os.X_OK)
