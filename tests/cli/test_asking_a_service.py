"""The commands that ask a running service, against a small server that answers what each test lays down."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.test_commands import run
from tests.client.test_client import Service

EXPLANATION = {
    "host_filter": 'ansible_facts__vcpus = "8"',
    "matches": 0,
    "timed_out": False,
    "host": {"id": 7, "name": "web1", "matches": False},
    "terms": [
        {
            "text": 'ansible_facts__vcpus = "8"',
            "matches": 0,
            "timed_out": False,
            "sql": {"operators": ["IN (sub-query)", "@>"], "indexes": ["ix_host_facts_facts"], "scans": ["hosts"]},
            "warnings": ['`ansible_facts__vcpus = "8"` is text; 412 hosts hold the number 8'],
            "similar": ["ansible_facts__ansible_processor_vcpus"],
            "on_host": {"matches": False, "found": [{"row": None, "value": 8, "cut": False}], "more": False},
        }
    ],
}


@pytest.fixture
def service() -> Iterator[Service]:
    """A server on loopback."""
    server = Service()
    server.thread.start()
    yield server
    server.close()


@pytest.mark.parametrize("answer", [["main"], [[1]], {"results": ["main"]}, {"results": 5}, {"results": [{}]}, "main"])
def test_an_answer_that_is_no_inventory_is_told_in_a_sentence(service: Service, answer: Any) -> None:
    service.handle = lambda *_: (200, answer, {})
    done = run("inventory", "--list", "--inventory", "main", CRATON_INV_URL=service.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Is this the service's address?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_filter_is_explained_term_by_term(service: Service) -> None:
    service.handle = lambda method, path, query, body: (200 if body["host"] == 7 else 404, EXPLANATION, {})
    done = run("filter", "explain", 'ansible_facts__vcpus="8"', "--host", "7", CRATON_INV_URL=service.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        '         0  ansible_facts__vcpus = "8"; does not match web1',
        '         0    ansible_facts__vcpus = "8"   [IN (sub-query) @>; ix_host_facts_facts, scan of hosts]',
        '                `ansible_facts__vcpus = "8"` is text; 412 hosts hold the number 8',
        "                known: ansible_facts__ansible_processor_vcpus",
        "                does not match the host, which has 8 there",
    ]


@pytest.mark.parametrize(
    ("status", "answer", "sentence"),
    [
        (400, {"error": "Invalid query nmae=a"}, "Invalid query nmae=a"),
        (200, ["x"], "Is this the service's address?"),
    ],
)
def test_a_filter_that_cannot_be_explained_is_told_in_a_sentence(
    service: Service, status: int, answer: Any, sentence: str
) -> None:
    service.handle = lambda *_: (status, answer, {})
    done = run("filter", "explain", "nmae=a", CRATON_INV_URL=service.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
