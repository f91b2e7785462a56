"""Users and grants."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictStr, StringConstraints

from craton_inv.schemas.v1.base import Body, Flag, Id, Link, Shown, Text

Username = Annotated[StrictStr, StringConstraints(pattern=r"^[A-Za-z0-9@.+_-]+$", min_length=1, max_length=150)]
Password = Annotated[StrictStr, StringConstraints(min_length=8, max_length=1024)]


class User(Shown):
    """Somebody who logs in."""

    username: str
    first_name: str
    last_name: str
    email: str
    is_superuser: bool
    is_active: bool


class UserList(BaseModel):
    """A page of users."""

    users: list[User]
    links: list[Link]


class UserCreate(Body):
    """Without a password only tokens open the door."""

    username: Username
    password: Password | None = Field(None, description="8 to 1024 characters; never shown.")
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    is_superuser: Flag = False
    is_active: Flag = True


class UserUpdate(Body):
    """What may change, each field by itself."""

    password: Password = ""
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    is_superuser: Flag = False
    is_active: Flag = True


class Grant(Shown):
    """A role of a user in a tenant."""

    tenant_id: int
    user_id: int
    role: str


class GrantList(BaseModel):
    """A page of grants."""

    grants: list[Grant]
    links: list[Link]


class GrantCreate(Body):
    """Who gets which role."""

    user_id: Id
    role: Literal["admin", "operator", "reader", "secrets"]
