"""Objects that are one though their identity was linked in two ways, by name and by id: the last one sent counts.

Staging tells repeated identities by what was sent; that two ways lead to one row is known once that row is saved.
"""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.link_site import LinkSite
from craton_inv.refresh.saving import Saving
from craton_inv.refresh.sql import join

# A placeholder is no object that was sent: it gives way to any, and does not count.
_DROP = """
WITH same AS (
  SELECT r.place, row_number() OVER (PARTITION BY <refs> ORDER BY <sent_last>) AS number
  FROM (<resolved>) r JOIN <stage> w ON w.ctid = r.place),
dropped AS (
  DELETE FROM <stage> s USING same WHERE s.ctid = same.place AND same.number > 1 RETURNING <is_sent> AS is_sent)
SELECT count(*) FILTER (WHERE is_sent) FROM dropped
"""


def in_several_ways(saving: Saving) -> bool:
    """Whether objects named a link of their identity in more than one way; rare, and told without a statement."""
    sites = (saving.stage.sites.get(name) for name in saving.collection.manager_ref)
    return any(site is not None and _ways(site) > 1 for site in sites)


def _ways(site: LinkSite) -> int:
    plain = site.defaulted and site.name not in site.collection.relations
    return len(site.used) + plain


async def drop_repeated(saving: Saving, counts: Counts) -> None:
    """Take all but the last of such objects out of the stage, after the rows that their links lead to are saved."""
    if not saving.stage.rows or not in_several_ways(saving):
        return
    refs = saving.collection.manager_ref
    skeletal = saving.collection.skeletal
    dropped = await saving.run(
        _DROP,
        refs=join(refs, "r."),
        resolved=saving.resolved(refs),
        sent_last="w.placeholder, r.place DESC" if skeletal else "r.place DESC",
        is_sent="NOT s.placeholder" if skeletal else "true",
    )
    counts.repeated += int(dropped.scalar_one())
