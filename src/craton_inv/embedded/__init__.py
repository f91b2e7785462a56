"""PostgreSQL and Valkey as child processes of this one: the default of a machine that has nothing but Python.

    EmbeddedPostgres / EmbeddedValkey      what callers use: start, url, ensure, stop
      ├── owned       what both share: the directory that is ours, the socket's place, start and stop
      ├── lock        one owner per data directory (flock), and who that is
      ├── binaries    where the server programs are, and which release
      ├── privileges  as whom they run when the caller is root
      ├── sockets     a private socket directory whose path is short enough
      ├── cluster     initdb, the directory's release, a stale postmaster.pid
      └── process → keeper   a small parent of each server that ends it when its owner ends, however that happens

Imported by `cli` and by the tests; knows nothing of hosts or inventories.
"""

from craton_inv.embedded.postgres import EmbeddedPostgres
from craton_inv.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey"]
