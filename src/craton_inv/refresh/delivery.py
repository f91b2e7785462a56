"""A delivery on its way out of one run and into another: the spools of a persister, in compressed pieces.

Rows stay as they were spooled, so saving them later is saving exactly what was delivered. Memory is bounded by a piece.
"""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.link_site import Used
from craton_inv.refresh.persister import Persister
from craton_inv.refresh.staging import Stage

PIECE = 1024 * 1024  # bytes of a spool that are compressed at once
FAST = 1  # rows are text that repeats itself: more effort gains little


def describe(persister: Persister) -> dict[str, Any]:
    """What is known of the spools beside their rows, for JSON."""
    return {
        name: {
            "rows": stage.count,
            "repeats": stage.repeats,
            "layout": layout_of(stage),
            "sites": {
                column: {
                    "defaulted": site.defaulted,
                    "used": [[form, key, used.number] for (form, key), used in site.used.items()],
                }
                for column, site in stage.sites.items()
            },
        }
        for name, stage in persister.stages.items()
        if stage.count
    }


def layout_of(stage: Stage) -> str:
    """Digest of all that the spooled rows depend on: another release may lay them out otherwise."""
    parts = [stage.definition(), stage.collection.name, repr(stage.optional), repr(stage.copied_columns())]
    for site in stage.sites.values():
        parts += [site.form_column, repr(list(site.ways)), repr(list(site.target.table.c.keys()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def pieces(persister: Persister) -> Iterator[tuple[str, int, bytes]]:
    """The rows: collection, number of the piece from 0, its compressed content."""
    for name, stage in persister.stages.items():
        if not stage.count:
            continue
        spool = stage.spool()
        number = 0
        while content := spool.read(PIECE):
            yield name, number, zlib.compress(content, FAST)
            number += 1


def prepare(persister: Persister, described: Mapping[str, Any]) -> None:
    """Make a fresh persister ready for the rows that `described` speaks of. Raises UpdateFailed when it has changed."""
    stages = persister.stages
    for name, told in described.items():
        stage = stages.get(name)
        if stage is None or layout_of(stage) != told["layout"]:
            raise UpdateFailed("The dry run was made by another release; make another one.")
        stage.count, stage.repeats = told["rows"], told["repeats"]
        for column, noted in told["sites"].items():
            site = stage.sites[column]
            site.defaulted = noted["defaulted"]
            site.used = {(form, key): Used(number, site.ways[form], key) for form, key, number in noted["used"]}


def refill(persister: Persister, collection: str, content: bytes) -> None:
    """Take a piece, in the order of `pieces`."""
    persister.stages[collection].refill(zlib.decompress(content))
