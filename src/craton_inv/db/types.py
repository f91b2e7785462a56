"""Column types and table parts that several models share."""

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

NAME_LENGTH = 512


def name_column(**options: Any) -> Mapped[str]:
    """A name: 1 to 512 characters."""
    return mapped_column(String(NAME_LENGTH), **options)


class HasVariables:
    """Variables twice: the text as written (/v2 returns it byte for byte), and JSON for filters and rendering."""

    variables_text: Mapped[str] = mapped_column(server_default="", sort_order=800)
    variables: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", sort_order=801)


class HasAuthors:
    """Who made and who last changed the row; null when a refresh did, or the user is gone."""

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        """The maker."""
        return mapped_column(ForeignKey("users.id", ondelete="SET NULL"), sort_order=910)

    @declared_attr
    def modified_by_id(cls) -> Mapped[int | None]:
        """The last who changed it by API."""
        return mapped_column(ForeignKey("users.id", ondelete="SET NULL"), sort_order=911)
