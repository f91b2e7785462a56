"""Refusing to write to what is being deleted: it would be lost, or come in the way of the deletion."""

from craton_inv.errors import Conflict
from craton_inv.models import InventorySource, Tenant

CODE = "pending_deletion"
SOURCE = "The inventory source is being deleted."


def refuse_pending_source(row: InventorySource) -> None:
    """Raise Conflict for a source that waits for its deletion."""
    if row.pending_deletion:
        raise Conflict(SOURCE, code=CODE)


def refuse_pending_tenant(row: Tenant) -> None:
    """Raise Conflict for a tenant that waits for its deletion: nothing new comes into it."""
    if row.pending_deletion:
        raise Conflict("The organization is being deleted.", code=CODE)
