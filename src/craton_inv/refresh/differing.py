"""SQL over what a delivered row sent of its attributes: whether that differs from the saved row, and writing it."""

from collections.abc import Mapping, Sequence

from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import quote


def differs(saving: Saving, names: Sequence[str], values: Mapping[str, str] | None = None) -> str:
    """SQL: one of the attributes was sent and is another than the saved one; `values`: SQL of what was sent.

    A link that a row cannot be without and that leads nowhere stays as it is.
    """
    values = values or {name: f"s.{quote(name)}" for name in names}
    parts = []
    for name in names:
        stays = f" AND {values[name]} IS NOT NULL" if name in saving.collection.required else ""
        parts.append(f"{saving.stage.was_sent(name)} AND t.{quote(name)} IS DISTINCT FROM {values[name]}{stays}")
    if saving.archives:
        # A placeholder is no delivery: what is only linked to stays archived.
        parts.append("t.archived_at IS NOT NULL" + (" AND NOT s.placeholder" if saving.collection.skeletal else ""))
    return " OR ".join(parts) or "false"


def assignments(saving: Saving, names: Sequence[str]) -> str:
    """SQL: what was sent of the attributes, of a found row `s`; the rest stays."""
    parts = []
    for name in names:
        stays = f" AND s.{quote(name)} IS NOT NULL" if name in saving.collection.required else ""
        sent = f"{saving.stage.was_sent(name)}{stays}"
        parts.append(f"{quote(name)} = CASE WHEN {sent} THEN s.{quote(name)} ELSE t.{quote(name)} END")
    if saving.archives:
        parts.append("archived_at = NULL")
    if saving.stamps and not isinstance(saving.collection.ownership, Layered):
        parts.append(f"{quote(saving.collection.version_column)} = :version")
    return ", ".join(parts)
