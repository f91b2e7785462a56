"""What a custom_reconnect_block works with: delivered objects that no saved row matches, before they are inserted."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult

from craton_inv.refresh.linking import resolve
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import fill, quote

_UNMATCHED = """
(SELECT u.* FROM (SELECT s.sent, <values> FROM <stage> s <joins>) u
 WHERE NOT EXISTS (SELECT FROM <table> x WHERE <scope> AND <same>))"""


@dataclass(frozen=True)
class Reconnect:
    """Finds old rows for new objects. A row that gets the identity of one is updated in place, and no row is inserted.

    Example, machines that were registered anew keep their row, known by the serial number:
        await reconnect.run(
            "UPDATE <table> t SET ref = s.ref FROM <unmatched> s WHERE <scope> AND t.serial = s.serial"
        )
    """

    saving: Saving
    columns: tuple[str, ...]

    @property
    def unmatched(self) -> str:
        """SQL: the objects without a saved row, a column per column of the collection, links as ids."""
        saving = self.saving
        links = resolve(saving, self.columns)
        values = ", ".join(f"{links.values[name]} AS {quote(name)}" for name in self.columns)
        same = saving.same({name: f"u.{quote(name)}" for name in saving.collection.manager_ref}, "x")
        return fill(
            _UNMATCHED,
            values=values,
            stage=saving.stage.table,
            joins=links.joins,
            table=saving.table,
            scope=saving.in_scope("x"),
            same=same,
        )

    async def run(self, template: str, **parts: str) -> CursorResult[*tuple[Any, ...]]:
        """Execute SQL with <table>, <unmatched> and <scope> (of rows `t`) filled in, :source and the scope bound."""
        given: dict[str, str] = {"unmatched": self.unmatched, "scope": self.saving.in_scope(), **parts}
        return await self.saving.run(template, **given)
