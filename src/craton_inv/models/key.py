"""Keys: which root keys the database knows of, and the keys of tenants, each sealed under a root key."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasId


class RootKey(Base):
    """A root key that seals keys of tenants. The key itself is never here; `fingerprint` tells two apart."""

    __tablename__ = "root_keys"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    retired: Mapped[datetime | None] = mapped_column()


class TenantKey(HasId, Base):
    """Version `version` of a tenant's key, sealed under root key `root_key_id`. Deleting it shreds what it opens."""

    __tablename__ = "tenant_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "version"), UniqueConstraint("id", "tenant_id", "version"))

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    version: Mapped[int] = mapped_column()
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    root_key_id: Mapped[str] = mapped_column(ForeignKey("root_keys.id"), index=True)
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    retired: Mapped[datetime | None] = mapped_column()
