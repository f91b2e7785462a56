"""What a call costs by itself: the least of a few tries, since a pause of the machine is no cost of the call."""

import time
from collections.abc import Awaitable, Callable

TRIES = 4


def least(call: Callable[[], object], limit: float) -> float:
    """Seconds of processor time of the cheapest try; a try below the limit ends the trying."""
    costs: list[float] = []
    while len(costs) < TRIES and (not costs or min(costs) >= limit):
        started = time.thread_time()
        call()
        costs.append(time.thread_time() - started)
    return min(costs)


async def least_awaited(call: Callable[[], Awaitable[object]], limit: float) -> float:
    """The same for what is awaited."""
    costs: list[float] = []
    while len(costs) < TRIES and (not costs or min(costs) >= limit):
        started = time.thread_time()
        await call()
        costs.append(time.thread_time() - started)
    return min(costs)
