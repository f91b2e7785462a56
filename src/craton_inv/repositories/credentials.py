"""Credentials in the database. Their sealed columns are read only where they are opened."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from craton_inv.models import Credential, CredentialType, InventorySource, InventoryUpdate
from craton_inv.repositories.base import Repository
from craton_inv.repositories.scope import ADMIN
from craton_inv.repositories.sets import any_of

SEALED = (Credential.nonce, Credential.ciphertext, Credential.wrapped_key)


class CredentialRepository(Repository[Credential]):
    """Credentials of the caller's tenants; changed by their admins. Nobody reads a secret here."""

    model = Credential
    label = "Credential"
    write_roles = ADMIN
    lock_shares_key = True
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_credentials_tenant_id_name_credential_type_id": (
            "Credential with this Organization, Name and Credential type already exists."
        )
    }


async def load_sealed(session: AsyncSession, row_id: int) -> Credential | None:
    """A credential with its sealed columns, whoever asks: for who opens it."""
    query = select(Credential).where(Credential.id == row_id).options(*(undefer(column) for column in SEALED))
    found: Credential | None = await session.scalar(query.execution_options(populate_existing=True))
    return found


async def types_of(session: AsyncSession, rows: Iterable[Credential]) -> dict[int, CredentialType]:
    """The types of credentials by their ids: one statement."""
    wanted = sorted({row.credential_type_id for row in rows})
    if not wanted:
        return {}
    found = await session.scalars(select(CredentialType).where(any_of(CredentialType.id, wanted)))
    return {row.id: row for row in found}


async def summaries(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, dict[str, Any]]:
    """Credentials as sources and updates show them, by id: one statement."""
    wanted = sorted({row_id for row_id in ids if row_id is not None})
    if not wanted:
        return {}
    kind, space = CredentialType.kind, CredentialType.namespace
    query = (
        select(Credential.id, Credential.name, Credential.description, space.label("kind"), (kind == "cloud"))
        .join(CredentialType, CredentialType.id == Credential.credential_type_id)
        .where(any_of(Credential.id, wanted))
    )
    names = ("id", "name", "description", "kind", "cloud")
    return {row.id: dict(zip(names, row, strict=True)) for row in await session.execute(query)}


def of_source(source: InventorySource) -> ColumnElement[bool]:
    """The credential that a source logs in with."""
    return Credential.id == source.credential_id


def of_update(update: InventoryUpdate) -> ColumnElement[bool]:
    """The credential that a run logged in with."""
    return Credential.id == update.credential_id


def of_tenant(tenant_id: int) -> ColumnElement[bool]:
    """Credentials of a tenant."""
    return Credential.tenant_id == tenant_id


def of_type(type_id: int) -> ColumnElement[bool]:
    """Credentials of a type."""
    return Credential.credential_type_id == type_id
