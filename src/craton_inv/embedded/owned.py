"""What both embedded servers share: a data directory that is ours while they run, and a place for their socket."""

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from craton_inv.embedded.directory import prepare
from craton_inv.embedded.lock import DirectoryLock
from craton_inv.embedded.sockets import socket_directory


class OwnedServer(ABC):
    """A server of this process on `data_dir`; a context manager from `start` to `stop`."""

    lock_name: ClassVar[str]
    run_name: ClassVar[str]
    socket_name: ClassVar[str]

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.socket_dir: Path | None = None
        self._lock: DirectoryLock | None = None
        self._socket_dir_is_temporary = False

    @abstractmethod
    def url(self) -> str:
        """Where clients find it; valid from `start` to `stop`."""

    @abstractmethod
    def is_alive(self) -> bool:
        """Whether the server answers over a new connection now; a process alone does not count."""

    @abstractmethod
    def _launch(self) -> None:
        """Start the server, made first if need be."""

    @abstractmethod
    def _stop_process(self) -> None:
        """Stop the server; harmless when nothing runs."""

    def start(self) -> str:
        """Start the server, made first if need be, and return its URL; a running one is left alone.

        Raises DirectoryInUse when another process owns the directory, SetupError for everything else.
        """
        if not self.is_alive():
            try:
                self._launch()
            except BaseException:
                self.stop()
                raise
        return self.url()

    def stop(self) -> None:
        """Stop the server, its data written, and release the directory; harmless when nothing runs."""
        self._stop_process()
        if self.socket_dir is not None and self._socket_dir_is_temporary:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
        self.socket_dir = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _own(self) -> DirectoryLock:
        """The lock of the directory, which is made if need be. Raises DirectoryInUse."""
        self.data_dir = prepare(self.data_dir)
        if self._lock is None:
            lock = DirectoryLock(self.data_dir / self.lock_name)
            lock.acquire()
            self._lock = lock
        return self._lock

    def _place_socket(self, uid: int | None) -> tuple[Path, list[Path]]:
        """The socket's directory, for the server's user `uid`, and what a dead owner's keeper has to remove."""
        if self.socket_dir is None:
            self.socket_dir, self._socket_dir_is_temporary = socket_directory(
                self.data_dir / self.run_name, self.socket_name, uid
            )
        return self.socket_dir, [self.socket_dir] if self._socket_dir_is_temporary else []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
