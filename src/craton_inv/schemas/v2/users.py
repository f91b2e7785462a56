"""Users, as a caller may see them."""

from craton_inv.schemas.v2.envelope import Envelope, Page
from craton_inv.schemas.v2.fields import Time


class User(Envelope):
    """A user. Passwords are never shown."""

    username: str
    first_name: str
    last_name: str
    email: str
    is_superuser: bool
    is_system_auditor: bool
    last_login: Time | None


class UserList(Page[User]):
    """A page of users."""
