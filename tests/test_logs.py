"""What log lines show, and what they keep from the terminal."""

import os
import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "src"

TELL = """
import asyncio, logging
from craton_inv.logs import configure_logs, get_logger

configure_logs()
"""


def told(code: str) -> str:
    """The log of a process of its own: logging is one thing a process."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", TELL + code],
        env=os.environ | {"PYTHONPATH": str(SOURCES)},
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stderr.decode()


def test_what_a_stranger_sends_cannot_steer_the_terminal() -> None:
    line = told(
        r'get_logger("requests").info("request", path="/v2/\x1b[31mred\x00\x9b0m\u202e/", error="a b\x1b]0;title\x07")'
    )
    assert r"path=/v2/\x1b[31mred\x00\x9b0m\u202e/" in line
    assert line.removesuffix("\n").isprintable()


def test_a_line_feed_begins_no_line() -> None:
    assert told(r'get_logger("requests").info("request", path="/v2/x\nforged")').count("\n") == 1


def test_a_traceback_keeps_its_lines() -> None:
    text = told(
        """
try:
    raise ValueError("\\x1b[2Jgone")
except ValueError:
    get_logger("jobs").exception("job_fault")
"""
    )
    assert len(text.splitlines()) > 2
    assert r"ValueError: \x1b[2Jgone" in text


def test_a_job_let_go_at_a_stop_is_no_fault_of_arq() -> None:
    code = """
for error in (asyncio.CancelledError(), ValueError("lost")):
    try:
        raise error
    except BaseException:
        logging.getLogger("arq.worker").exception("failed")
"""
    text = told(code)
    assert "CancelledError" not in text
    assert "ValueError: lost" in text
