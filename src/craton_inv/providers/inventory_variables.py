"""Save what a source says of the inventory itself (the variables of `all`): a layer per source, merged as for hosts."""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.save_layered import DROPPED, KEEP_HAND_MADE
from craton_inv.refresh.saving import Saving

# AWX only ever adds to inventory variables; here a key leaves with the source that sent it, as everywhere.
_SAVE = """
WITH c AS MATERIALIZED (
  SELECT t.id, me.inventory_vars::jsonb AS said, s.variables AS sends, t.variables AS shown, coalesce((
    SELECT jsonb_object_agg(e.key, e.value ORDER BY o.id)
    FROM inventory_sources o CROSS JOIN LATERAL jsonb_each(o.inventory_vars::jsonb) e
    WHERE o.inventory_id = t.id AND o.id <> me.id), '{}') AS others
  FROM <stage> s JOIN <table> t ON t.id = s.id JOIN inventory_sources me ON me.id = :source),
merged AS MATERIALIZED (SELECT c.id, <merge> AS variables FROM c),
layer AS (
  UPDATE inventory_sources me SET inventory_vars = c.sends::text FROM c WHERE me.id = :source AND c.said <> c.sends
  RETURNING 1),
rows AS (
  UPDATE <table> t SET variables = m.variables, variables_text = m.variables::text FROM merged m
  WHERE t.id = m.id AND t.variables <> m.variables RETURNING 1)
SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM layer)
"""


async def save_inventory_variables(saving: Saving, counts: Counts) -> None:
    """One statement; writes only what differs."""
    await _save(saving, counts, KEEP_HAND_MADE)


async def replace_inventory_variables(saving: Saving, counts: Counts) -> None:
    """The same, but what no source sends goes, hand-made variables too."""
    await _save(saving, counts, "c.others || c.sends")


async def _save(saving: Saving, counts: Counts, merge: str) -> None:
    if saving.options.targets is not None:
        return  # nobody asks for the inventory itself by target
    rows, layers = (await saving.run(_SAVE, merge=merge, dropped=DROPPED)).one()
    counts.updated += rows
    counts.layers += layers
