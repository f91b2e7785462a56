"""Credentials: plain inputs stand open, secret ones are sealed together, and leave only for the run that needs them."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Forbidden, InvalidField, SecretUnreadable
from craton_inv.models import Credential, CredentialType, Tenant
from craton_inv.providers.credentials import CredentialTypeDefinition, ProviderCredential
from craton_inv.providers.credentials.inputs import ENCRYPTED, CheckedInputs, check_inputs, kept_names
from craton_inv.repositories.credential_types import CredentialTypeRepository
from craton_inv.repositories.credentials import CredentialRepository, load_sealed
from craton_inv.repositories.keys import CREDENTIALS
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.services.credential_types import definition_of
from craton_inv.services.key_ring import KeyRing
from craton_inv.services.pending_deletion import refuse_pending_tenant
from craton_inv.settings import Settings

TYPE_FIXED = (
    "You cannot change the credential type of a credential, as it may break the functionality of the resources"
    " using it."
)


async def create_credential(
    session: AsyncSession, scope: Scope, settings: Settings, tenant: Tenant, values: Mapping[str, Any]
) -> Credential:
    """Make a credential of a tenant. `values`: name, description, credential_type, inputs.

    Raises InvalidInputs, InvalidField, Duplicate, Forbidden, KeyMissing, Conflict for a tenant that is being deleted.
    """
    repository = CredentialRepository(session, scope)
    row = Credential(tenant_id=tenant.id, name=values["name"], description=values.get("description", ""))
    repository.authorize(row)
    refuse_pending_tenant(tenant)
    kind = await _type(session, scope, tenant.id, values["credential_type"])
    checked = await _checked(definition_of(kind), _object(values.get("inputs", {})), {})
    row.credential_type_id = kind.id
    row.inputs, row.secret_fields = checked.plain, sorted(checked.secrets)
    await repository.add(row)  # the id is part of what the secrets are bound to
    if checked.secrets:
        await _seal(session, settings, row, checked)
        await repository.save(row)
    return row


async def change_credential(
    session: AsyncSession, scope: Scope, settings: Settings, row: Credential, values: Mapping[str, Any]
) -> Credential:
    """Change a credential got with `lock=True`. Inputs are replaced as a whole, but for secrets that are to stay.

    Raises as `create_credential`, and SecretUnreadable when a secret that is to stay does not open.
    """
    repository = CredentialRepository(session, scope)
    repository.authorize(row)
    if values.get("organization", row.tenant_id) != row.tenant_id:
        raise Forbidden("Unable to change organization on a credential.", code="organization.fixed")
    if values.get("credential_type", row.credential_type_id) != row.credential_type_id:
        raise InvalidField("credential_type", TYPE_FIXED)
    if "inputs" in values:
        await _replace_inputs(session, settings, row, _object(values["inputs"]))
    for column in ("name", "description"):
        if column in values:
            setattr(row, column, values[column])
    return await repository.save(row)


async def opened(session: AsyncSession, settings: Settings, credential_id: int) -> ProviderCredential | None:
    """A credential with its secrets, for the run that logs in with it; None when it is gone.

    Raises SecretUnreadable, KeyMissing.
    """
    row = await load_sealed(session, credential_id)
    if row is None:
        return None
    kind = await CredentialTypeRepository(session, SYSTEM).get(row.credential_type_id)
    definition = definition_of(kind)
    secrets = await _secrets(session, settings, row)
    return ProviderCredential(definition.namespace, {**row.inputs, **secrets}, definition)


def shown_inputs(row: Credential) -> dict[str, Any]:
    """Inputs as everybody sees them."""
    return {**row.inputs, **dict.fromkeys(row.secret_fields, ENCRYPTED)}


async def _type(session: AsyncSession, scope: Scope, tenant_id: int, type_id: int) -> CredentialType:
    """A type that the tenant has: everybody's or its own."""
    found = await CredentialTypeRepository(session, scope).find(type_id)
    if found is None:
        raise InvalidField(
            "credential_type", f'Invalid pk "{type_id}" - object does not exist.', code="unknown_reference"
        )
    if found.tenant_id not in (None, tenant_id):
        raise InvalidField("credential_type", "The type belongs to another organization.")
    return found


async def _checked(
    definition: CredentialTypeDefinition, given: Mapping[str, Any], stored: Mapping[str, str]
) -> CheckedInputs:
    """Inputs checked in a thread: it takes up to a second to open a locked private key. Raises InvalidInputs."""
    return await asyncio.to_thread(check_inputs, definition, given, stored)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidField("inputs", "Expected an object.")
    return value


async def _replace_inputs(session: AsyncSession, settings: Settings, row: Credential, given: Mapping[str, Any]) -> None:
    kind = await CredentialTypeRepository(session, SYSTEM).get(row.credential_type_id)
    definition = definition_of(kind)
    kept = kept_names(given, definition) & set(row.secret_fields)
    if kept == set(row.secret_fields) and not _new_secrets(definition, given):
        # All stay: nothing is opened or sealed, so that plain inputs can be changed whatever became of the keys.
        plain = {name: value for name, value in given.items() if name not in kept}
        row.inputs = (await _checked(_without(definition, kept), plain, {})).plain
        return
    stored = await _secrets(session, settings, await _with_sealed(session, row)) if kept else {}
    checked = await _checked(definition, given, {name: stored[name] for name in kept})
    row.inputs, row.secret_fields = checked.plain, sorted(checked.secrets)
    await _seal(session, settings, row, checked)


def _new_secrets(definition: CredentialTypeDefinition, given: Mapping[str, Any]) -> bool:
    return any(given.get(name) not in (None, "", ENCRYPTED) for name in definition.secret_ids())


def _without(definition: CredentialTypeDefinition, names: set[str] | frozenset[str]) -> CredentialTypeDefinition:
    """The type as it is for the inputs that are not kept."""
    return CredentialTypeDefinition(
        definition.namespace,
        definition.kind,
        definition.name,
        tuple(one for one in definition.fields if one.id not in names),
        tuple(name for name in definition.required if name not in names),
    )


async def _with_sealed(session: AsyncSession, row: Credential) -> Credential:
    await session.refresh(row, ["nonce", "ciphertext", "wrapped_key"])
    return row


async def _secrets(session: AsyncSession, settings: Settings, row: Credential) -> dict[str, str]:
    if row.key_id is None:
        return {}
    try:
        found = json.loads(await KeyRing(session, settings).unseal(CREDENTIALS, row))
    except ValueError:
        raise SecretUnreadable("A stored secret is not what it should be.") from None
    return {str(name): str(value) for name, value in found.items()}


async def _seal(session: AsyncSession, settings: Settings, row: Credential, checked: CheckedInputs) -> None:
    """Seal all secrets of the row together, as the next content; without any the columns are emptied."""
    version = row.secret_version + 1
    if not checked.secrets:
        row.secret_version = version
        for column in ("key_id", "key_version", "nonce", "ciphertext", "wrapped_key"):
            setattr(row, column, None)
        return
    text = json.dumps(checked.secrets, ensure_ascii=False, sort_keys=True).encode()
    sealed = await KeyRing(session, settings).seal(CREDENTIALS, row.id, row.tenant_id, version, text)
    for column, value in sealed.columns().items():
        setattr(row, column, value)
