"""What filters reach on models beyond columns and relationships (the conventions of `filters.paths`)."""

from typing import Any

from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import aliased

from craton_inv.filters.paths import JsonRoot


def variables_root(model: Any) -> JsonRoot:
    """`variables__…`: the structured variables; a lone lookup looks at the text as written."""
    return JsonRoot(model.variables, text_column=model.variables_text)


# How a run ends when it does not do its work (AWX's `failed`).
FAILED = ("failed", "error", "canceled")


def failed(entity: Any) -> ColumnElement[bool]:
    """`failed=true`: whether the status of a run, or of a source, says so. `entity`: the model or an alias of it."""
    condition: ColumnElement[bool] = entity.status.in_(FAILED)
    return condition


def last_run_failed(entity: Any) -> ColumnElement[bool]:
    """`last_job_failed=true` on a source; null without a run."""
    run = _last_run(entity)
    return select(failed(run)).where(run.id == entity.last_update_id).scalar_subquery()


def last_run_finished(entity: Any) -> ColumnElement[Any]:
    """`last_job_run` of a source."""
    run = _last_run(entity)
    return select(run.finished).where(run.id == entity.last_update_id).scalar_subquery()


def _last_run(entity: Any) -> Any:
    """An alias of what runs of a source are, which is defined after sources."""
    return aliased(inspect(entity).mapper.relationships["last_update"].mapper.class_)
