"""Projects: where inventories of kind `scm` come from, a git repository or a folder of the worker (AWX's Project)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models import filtering
from craton_inv.models.parts import Authored
from craton_inv.models.relations import to_many, to_one
from craton_inv.models.tenant import Tenant

if TYPE_CHECKING:
    from craton_inv.models.credential import Credential
    from craton_inv.models.inventory_source import InventorySource


class Project(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A project of a tenant. `scm_type` "" is a folder called `local_path`, "git" a repository at `scm_url`.

    `scm_branch`: branch, tag or commit, "" the repository's own. `scm_refspec`: what is fetched beside branches and
    tags. `scm_delete_on_update`: fetch the files anew though the commit is known. `scm_clean` is kept for AWX's
    clients: no run changes the files of a project. `scm_revision`: the commit of the last update.
    """

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("id", "tenant_id"),
        ForeignKeyConstraint(
            ["credential_id", "tenant_id"],
            ["credentials.id", "credentials.tenant_id"],
            ondelete="SET NULL (credential_id)",
        ),
        CheckConstraint("scm_type IN ('', 'git')", name="scm_type"),
        CheckConstraint("scm_update_cache_timeout >= 0", name="scm_update_cache_timeout"),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {  # noqa: RUF012
        "organization": "tenant",
        "organization_id": "tenant_id",
        "current_job": "current_update",
        "last_job": "last_update",
    }
    __filter_columns__ = {"last_update_failed": filtering.failed}  # noqa: RUF012

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    scm_type: Mapped[str] = mapped_column(String(8), server_default="")
    scm_url: Mapped[str] = mapped_column(String(1024), server_default="")
    scm_branch: Mapped[str] = mapped_column(String(256), server_default="")
    scm_refspec: Mapped[str] = mapped_column(String(1024), server_default="")
    scm_clean: Mapped[bool] = mapped_column(server_default="false")
    scm_delete_on_update: Mapped[bool] = mapped_column(server_default="false")
    scm_revision: Mapped[str] = mapped_column(String(64), server_default="")
    allow_override: Mapped[bool] = mapped_column(server_default="false")
    scm_update_on_launch: Mapped[bool] = mapped_column(server_default="false")
    scm_update_cache_timeout: Mapped[int] = mapped_column(server_default="0")
    timeout: Mapped[int] = mapped_column(server_default="0")
    local_path: Mapped[str] = mapped_column(String(1024), server_default="")
    credential_id: Mapped[int | None] = mapped_column(index=True)

    status: Mapped[str] = mapped_column(String(16), server_default="never updated")
    last_updated: Mapped[datetime | None] = mapped_column()
    last_error: Mapped[str] = mapped_column(server_default="")
    current_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("project_updates.id", ondelete="SET NULL", use_alter=True), index=True
    )
    last_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("project_updates.id", ondelete="SET NULL", use_alter=True), index=True
    )

    tenant: Mapped[Tenant] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    current_update: Mapped["ProjectUpdate | None"] = relationship(
        lazy="raise", viewonly=True, foreign_keys=[current_update_id], info={"filter": True}
    )
    last_update: Mapped["ProjectUpdate | None"] = relationship(
        lazy="raise", viewonly=True, foreign_keys=[last_update_id], info={"filter": True}
    )
    credential: Mapped["Credential | None"] = to_one("Project.credential_id", "Credential")
    inventory_sources: Mapped[list["InventorySource"]] = to_many("Project", "InventorySource.source_project_id")


class ProjectUpdate(HasId, HasTimestamps, Authored, Base):
    """One run: what was asked for, how it ended, the commit it found. `output`: what it said, lines of text."""

    __tablename__ = "project_updates"
    __table_args__ = (
        ForeignKeyConstraint(["project_id", "tenant_id"], ["projects.id", "projects.tenant_id"], ondelete="CASCADE"),
        Index("ix_project_updates_project_id", "project_id"),
        Index("ix_project_updates_tenant_id", "tenant_id"),
        # One run at a time and one waiting: the database refuses a second of either.
        Index(
            "uq_project_updates_one_waiting",
            "project_id",
            unique=True,
            postgresql_where=text("status IN ('new', 'pending', 'waiting')"),
        ),
        Index(
            "uq_project_updates_one_running",
            "project_id",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
        CheckConstraint(
            "status IN ('new', 'pending', 'waiting', 'running', 'successful', 'failed', 'error', 'canceled')",
            name="status",
        ),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"unified_job_template": "project"}  # noqa: RUF012
    __filter_columns__ = {"failed": filtering.failed}  # noqa: RUF012

    project_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    launch_type: Mapped[str] = mapped_column(String(32), server_default="manual")
    status: Mapped[str] = mapped_column(String(16), server_default="pending")
    cancel_requested: Mapped[bool] = mapped_column(server_default="false")
    scm_url: Mapped[str] = mapped_column(String(1024), server_default="")
    scm_branch: Mapped[str] = mapped_column(String(256), server_default="")
    scm_revision: Mapped[str] = mapped_column(String(64), server_default="")
    started: Mapped[datetime | None] = mapped_column()
    finished: Mapped[datetime | None] = mapped_column()
    canceled_on: Mapped[datetime | None] = mapped_column()
    job_explanation: Mapped[str] = mapped_column(server_default="")
    execution_node: Mapped[str] = mapped_column(server_default="")
    output: Mapped[str] = mapped_column(server_default="", deferred=True, info={"private": True})

    project: Mapped[Project] = to_one("ProjectUpdate.project_id", "Project")


class ProjectTree(HasTimestamps, Base):
    """The files of one commit, for every worker: `content` is a packed tar, so no worker asks the repository twice.

    `reference`: branch, tag or commit as it is written, "" the repository's own. `files`: paths of the tree, sorted.
    `fetched`: when the repository was last asked.
    """

    __tablename__ = "project_trees"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    reference: Mapped[str] = mapped_column(String(256), primary_key=True)
    revision: Mapped[str] = mapped_column(String(64))
    fetched: Mapped[datetime] = mapped_column()
    scm_url: Mapped[str] = mapped_column(String(1024))
    size: Mapped[int] = mapped_column()
    files: Mapped[list[Any]] = mapped_column(JSONB, deferred=True)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
