"""Between the thread that speaks git and the event loop that goes through the door: waits, and can be stopped."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from concurrent.futures import Future as ThreadFuture
from typing import Any, TypeVar

from dulwich.errors import HangupException

T = TypeVar("T")
REFERENCES = 32 * 1024 * 1024  # bytes of what a server lists: its branches and tags, some 400 000 of them


class Bridge:
    """Made in the event loop, used by one thread. `size`: bytes of an answer that holds files."""

    def __init__(self, size: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.size = size
        self.allowance = min(REFERENCES, size)  # bytes of one answer, until it is known what to ask for
        self.stopped = False
        self._work: ThreadFuture[Any] | None = None

    def expect_files(self) -> None:
        """From here on answers may be as large as files are."""
        self.allowance = self.size + REFERENCES

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """In the thread: what `work` gives, done in the loop. Raises HangupException once stopped."""
        if self.stopped:
            work.close()
            raise HangupException()
        asked = asyncio.run_coroutine_threadsafe(work, self.loop)
        self._work = asked
        if self.stopped:  # said between the two looks
            asked.cancel()
        try:
            return asked.result()
        except CancelledError as error:
            raise HangupException() from error

    def go_on(self) -> None:
        """In the thread, now and then during long work. Raises HangupException once stopped."""
        if self.stopped:
            raise HangupException()

    def stop(self) -> None:
        """In the loop: nobody waits for the thread any more; it ends at its next look."""
        self.stopped = True
        if self._work is not None:
            self._work.cancel()
