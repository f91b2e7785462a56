"""A parser that stumbles over an answer: the run ends with a sentence that says where, and nothing is written."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets


class Stumbling(Parser):
    """Yields some hosts, then does `fall`."""

    def __init__(self, persister: InventoryPersister, hosts: list[str], fall: Callable[[], Any]) -> None:
        self.persister = persister
        self.hosts = hosts
        self.fall = fall

    async def parse(self) -> AsyncIterator[InventoryObject]:
        for name in self.hosts:
            yield self.persister.hosts.build(name=name)
        self.fall()


def refresher(hosts: list[str], fall: Callable[[], Any]) -> Refresher:
    persister = InventoryPersister(1)
    return Refresher(Collector(Targets(1)), Stumbling(persister, hosts, fall), persister)


async def gather(hosts: list[str], fall: Callable[[], Any]) -> None:
    made = refresher(hosts, fall)
    try:
        await made.gather()
    finally:
        await made.close()


def deeper() -> None:
    deeper()


@pytest.mark.parametrize(
    ("fall", "told"),
    [
        (lambda: {"a": 1}["b"], "'b' is missing"),
        (lambda: [][0], "a part of it has another form than expected"),
        (lambda: int("s3cret"), "a part of it has another form than expected"),
        (lambda: None + 1, "a part of it has another form than expected"),  # type: ignore[operator]
        (lambda: [].get("x"), "a part of it has another form than expected"),  # type: ignore[attr-defined]
        (lambda: int(float("inf")), "a part of it has another form than expected"),
        (deeper, "a part of it has another form than expected"),
    ],
    ids=["no key", "no index", "no number", "no sum", "no mapping", "endless", "too deep"],
)
async def test_an_answer_in_another_form_is_told_with_the_last_object_that_was_read(
    fall: Callable[[], Any], told: str
) -> None:
    with pytest.raises(UpdateFailed) as caught:
        await gather(["web-1", "web-2"], fall)
    assert caught.value.message == f"The answer cannot be read: {told}, after hosts 'web-2'."


async def test_an_answer_whose_beginning_cannot_be_read_says_so() -> None:
    with pytest.raises(UpdateFailed, match="missing, at its beginning"):
        await gather([], lambda: {}["x"])


async def test_a_fault_of_the_provider_itself_stays_one() -> None:
    def broken() -> None:
        raise RuntimeError("no network card")

    with pytest.raises(RuntimeError):
        await gather([], broken)
