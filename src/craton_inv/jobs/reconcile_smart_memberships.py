"""Compares all memberships of smart inventories with what their searches find; there should be no difference."""

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.queue import jobs
from craton_inv.services.membership_reconciliation import reconcile


async def reconcile_smart_memberships(context: JobContext) -> None:
    """The job; what it finds is in the log."""
    report = await reconcile(context.session_factory, context.settings.database_statement_timeout)
    async with unit_of_work(context.session_factory) as session:
        await jobs.finish(session, context.claim)
    context.log.info(
        "smart_memberships_reconciled",
        checked=report.checked,
        renewed=report.renewed,
        skipped=report.skipped,
        differences=sum(each.difference.added + each.difference.gone for each in report.found),
        strays=report.strays,
    )


TASK = Task(reconcile_smart_memberships)
