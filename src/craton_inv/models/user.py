"""Users, their grants per tenant, and their tokens (stored hashed, shown once)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasId, HasTimestamps
from craton_inv.models.tenant import Tenant

ROLES = ("admin", "operator", "reader", "secrets")


class User(HasId, HasTimestamps, Base):
    """Somebody who logs in. `password_hash` is argon2id, or null: tokens only."""

    __tablename__ = "users"
    __search_fields__ = ("username", "first_name", "last_name", "email")
    __filter_names__ = {"password": "password_hash"}  # noqa: RUF012

    username: Mapped[str] = mapped_column(String(150), unique=True)
    password_hash: Mapped[str | None] = mapped_column(info={"private": True})
    first_name: Mapped[str] = mapped_column(server_default="")
    last_name: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    is_superuser: Mapped[bool] = mapped_column(server_default="false")
    is_active: Mapped[bool] = mapped_column(server_default="true")


class Grant(HasId, HasTimestamps, Base):
    """A role of a user in a tenant: admin, operator, reader or secrets."""

    __tablename__ = "grants"
    __table_args__ = (
        UniqueConstraint("user_id", "tenant_id", "role"),
        CheckConstraint("role IN ('admin', 'operator', 'reader', 'secrets')", name="role"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column()


class Token(HasId, HasTimestamps, Base):
    """A bearer token `civ_<id>_<secret>`. Only the peppered hash of the secret is kept.

    `tenant_id` limits the token to one tenant; `scope` is read or write (AWX's words).
    """

    __tablename__ = "tokens"
    __table_args__ = (CheckConstraint("scope IN ('read', 'write')", name="scope"),)
    __search_fields__ = ("description",)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True, info={"private": True})
    description: Mapped[str] = mapped_column(server_default="")
    scope: Mapped[str] = mapped_column(server_default="write")
    expires: Mapped[datetime | None] = mapped_column()
    last_used: Mapped[datetime | None] = mapped_column()

    user: Mapped[User] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    tenant: Mapped[Tenant | None] = relationship(lazy="raise", viewonly=True)
