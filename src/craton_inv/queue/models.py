"""The jobs table: the truth about background work; arq only rings the bell."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasId


class Job(HasId, Base):
    """One piece of background work.

    `task` names the function (a verb: refresh, delete_inventory); `args` are ids only. `token` is the fencing token: it
    moves up with every claim, and a worker's writes count only while the row still holds the worker's token.
    `max_attempts` is null where the worker's setting decides.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'canceled')", name="status"),
        Index("ix_jobs_due", "run_at", postgresql_where=text("status = 'queued'")),
        Index("ix_jobs_lease", "lease_until", postgresql_where=text("status = 'running'")),
        Index(
            "uq_jobs_unique_key",
            "unique_key",
            unique=True,
            postgresql_where=text("status IN ('queued', 'running') AND unique_key IS NOT NULL"),
        ),
        Index("ix_jobs_tenant_id", "tenant_id"),
    )

    task: Mapped[str] = mapped_column(String(64))
    args: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    unique_key: Mapped[str | None] = mapped_column()
    status: Mapped[str] = mapped_column(String(16), server_default="queued")
    attempt: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int | None] = mapped_column()
    token: Mapped[int] = mapped_column(server_default="0")
    worker: Mapped[str | None] = mapped_column()
    run_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_until: Mapped[datetime | None] = mapped_column()
    heartbeat_at: Mapped[datetime | None] = mapped_column()
    cancel_requested: Mapped[bool] = mapped_column(server_default="false")
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    started: Mapped[datetime | None] = mapped_column()
    finished: Mapped[datetime | None] = mapped_column()
    error: Mapped[str] = mapped_column(server_default="")
