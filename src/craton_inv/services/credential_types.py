"""Credential types: AWX's managed ones stand in the code, custom ones are made within bounds. AWX's sentences."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Forbidden, InvalidField
from craton_inv.models import CredentialType
from craton_inv.providers.credentials import MANAGED, CredentialTypeDefinition
from craton_inv.providers.credentials.custom import KINDS, check_custom
from craton_inv.providers.credentials.definitions import definition_from
from craton_inv.repositories.credential_types import CredentialTypeRepository
from craton_inv.repositories.scope import Scope


def definition_of(row: CredentialType) -> CredentialTypeDefinition:
    """What the type consists of."""
    if row.managed and row.namespace in MANAGED:
        return MANAGED[row.namespace]
    return definition_from(row.kind, row.name, row.inputs, row.injectors)


async def create_type(session: AsyncSession, scope: Scope, values: Mapping[str, Any]) -> CredentialType:
    """Make a custom type. `values`: columns. Raises InvalidField, Duplicate, Forbidden, NotFound."""
    row = CredentialType(managed=False, inputs={}, injectors={})
    repository = CredentialTypeRepository(session, scope)
    row.tenant_id = values.get("tenant_id")
    repository.authorize(row)
    _assign(row, {"inputs": {}, **values})
    return await repository.add(row)


async def change_type(
    session: AsyncSession, scope: Scope, row: CredentialType, values: Mapping[str, Any]
) -> CredentialType:
    """Change a type got with `lock=True`. The inputs of one in use stay. Raises as `create_type`."""
    repository = CredentialTypeRepository(session, scope)
    repository.authorize(row)
    if "tenant_id" in values and values["tenant_id"] != row.tenant_id:
        raise Forbidden("Unable to change organization on a credential type.", code="organization.fixed")
    before = row.inputs
    _assign(row, values)
    if row.inputs != before and await repository.in_use(row):
        raise Forbidden("Modifications to inputs are not allowed for credential types that are in use", code="in_use")
    return await repository.save(row)


async def delete_type(session: AsyncSession, scope: Scope, row: CredentialType) -> None:
    """Delete a type got with `lock=True`. Raises Forbidden for a managed one, and while credentials are of it."""
    if row.managed:
        raise Forbidden("Deletion not allowed for managed credential types", code="managed")
    repository = CredentialTypeRepository(session, scope)
    repository.authorize(row)
    if await repository.in_use(row):
        raise Forbidden("Credential types that are in use cannot be deleted", code="in_use")
    await repository.delete(row)


def _assign(row: CredentialType, values: Mapping[str, Any]) -> None:
    kind = values.get("kind", row.kind)
    if kind not in KINDS:
        raise InvalidField("kind", f"Must be 'cloud' or 'net', not {kind}")
    for column in ("name", "description", "kind"):
        if column in values:
            setattr(row, column, values[column])
    if "inputs" in values or "injectors" in values:
        given = (values.get("inputs", row.inputs), values.get("injectors", row.injectors))
        row.inputs, row.injectors = check_custom(*given)
