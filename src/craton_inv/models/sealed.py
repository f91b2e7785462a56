"""The columns in which a table keeps a secret: sealed text, what opens it, and never the secret itself."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, LargeBinary
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

# Neither filters nor ordering know these columns, and lists do not read them.
_HIDDEN: dict[str, Any] = {"filter": False}


class Sealed:
    """A secret of a row with `id` and `tenant_id`. All null while there is none.

    `wrapped_key` is the secret's own key, sealed under the tenant's key `key_id` of `key_version`; `secret_version`
    counts the contents the secret has had. What is bound to what: see `crypto.envelope`.
    """

    key_id: Mapped[int | None] = mapped_column(info=_HIDDEN, sort_order=850)
    key_version: Mapped[int | None] = mapped_column(info=_HIDDEN, sort_order=851)
    secret_version: Mapped[int] = mapped_column(server_default="0", info=_HIDDEN, sort_order=852)

    @declared_attr
    def nonce(cls) -> Mapped[bytes | None]:
        """Of the ciphertext; 12 bytes."""
        return mapped_column(LargeBinary, deferred=True, info=_HIDDEN, sort_order=853)

    @declared_attr
    def ciphertext(cls) -> Mapped[bytes | None]:
        """The secret under its own key."""
        return mapped_column(LargeBinary, deferred=True, info=_HIDDEN, sort_order=854)

    @declared_attr
    def wrapped_key(cls) -> Mapped[bytes | None]:
        """The secret's key under the tenant's."""
        return mapped_column(LargeBinary, deferred=True, info=_HIDDEN, sort_order=855)


def sealed_rules() -> tuple[Any, ...]:
    """Constraints of a table with a secret: the key is of the row's tenant, and stays as long as rows use it."""
    return (
        ForeignKeyConstraint(
            ["key_id", "tenant_id", "key_version"], ["tenant_keys.id", "tenant_keys.tenant_id", "tenant_keys.version"]
        ),
        CheckConstraint(
            "num_nulls(key_id, key_version, nonce, ciphertext, wrapped_key) IN (0, 5)", name="sealed_whole"
        ),
    )
