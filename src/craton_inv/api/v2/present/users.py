"""Users as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer
from craton_inv.schemas.v2.users import User


class UserPresenter:
    """No statements: a user's row says all."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.User) -> User:
        """A user."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.User]) -> list[User]:
        """Users, in the order given."""
        return [
            User(
                id=row.id,
                type="user",
                url=self.viewer.links.to("user", row.id),
                related={},
                summary_fields={"user_capabilities": {"edit": False, "delete": False}},
                created=row.created,
                modified=row.modified,
                username=row.username,
                first_name=row.first_name,
                last_name=row.last_name,
                email=row.email,
                is_superuser=row.is_superuser,
                is_system_auditor=False,
                last_login=None,
            )
            for row in rows
        ]
