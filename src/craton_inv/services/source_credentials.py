"""Which credential a source may log in with, in AWX's words, and what its run gets of it."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest, InvalidField
from craton_inv.models import Credential, InventorySource
from craton_inv.providers.credentials import ProviderCredential
from craton_inv.repositories.credential_types import CredentialTypeRepository
from craton_inv.repositories.credentials import CredentialRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository, any_with_credential
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.services.credentials import opened
from craton_inv.services.pending_deletion import refuse_pending_source
from craton_inv.settings import Settings

# The namespace of the credential that a kind of source needs.
NEEDED = {
    "azure_rm": "azure_rm",
    "controller": "controller",
    "ec2": "aws",
    "gce": "gce",
    "insights": "insights",
    "openshift_virtualization": "kubernetes_bearer_token",
    "openstack": "openstack",
    "rhv": "rhv",
    "satellite6": "satellite6",
    "terraform": "terraform",
    "vmware": "vmware",
}
# Kinds that may find what they need elsewhere: the machine's own role in the cloud, or the cluster's.
OPTIONAL = frozenset({"ec2", "openshift_virtualization"})
# Kinds that run programs with whatever environment a credential gives.
ANY = frozenset({"scm", "file"})


async def attach(session: AsyncSession, scope: Scope, source: InventorySource, credential: Credential) -> None:
    """Let a source got with `lock=True` log in with a credential. Raises BadRequest under AWX's `msg`, Conflict."""
    repository = InventorySourceRepository(session, scope)
    repository.authorize(source)
    refuse_pending_source(source)
    if source.credential_id is not None:
        raise BadRequest("Source already has credential assigned.", key="msg")
    fault = await why_unfit(session, source, credential)
    if fault:
        raise BadRequest(fault, key="msg")
    source.credential_id = credential.id
    await repository.save(source)


async def detach(session: AsyncSession, scope: Scope, source: InventorySource, credential: Credential) -> None:
    """Take a credential off a source got with `lock=True`; one that it does not have is no error."""
    repository = InventorySourceRepository(session, scope)
    repository.authorize(source)
    refuse_pending_source(source)
    if source.credential_id == credential.id:
        source.credential_id = None
        await repository.save(source)


async def choose(session: AsyncSession, scope: Scope, source: InventorySource, credential_id: int | None) -> None:
    """Set the one credential of a source by its id (AWX's older way). Raises InvalidField."""
    if credential_id is None:
        source.credential_id = None
        return
    found = await CredentialRepository(session, scope).find(credential_id)
    if found is None:
        text = f'Invalid pk "{credential_id}" - object does not exist.'
        raise InvalidField("credential", text, code="unknown_reference")
    fault = await why_unfit(session, source, found)
    if fault:
        raise InvalidField("credential", fault)
    source.credential_id = found.id


async def require_fit(session: AsyncSession, source: InventorySource) -> None:
    """Raise InvalidField when a source of this kind cannot do with the credential it has, or with none."""
    if source.credential_id is None:
        if source.source in NEEDED and source.source not in OPTIONAL:
            raise InvalidField("credential", "Credential is required for a cloud source.")
        return
    credential = await CredentialRepository(session, SYSTEM).get(source.credential_id)
    fault = await why_unfit(session, source, credential)
    if fault:
        raise InvalidField("credential", fault)


async def why_unfit(session: AsyncSession, source: InventorySource, credential: Credential) -> str:
    """Why a source cannot log in with a credential; "" when it can."""
    if credential.tenant_id != source.tenant_id:
        return "The credential belongs to another organization."
    kind = await CredentialTypeRepository(session, SYSTEM).get(credential.credential_type_id)
    if source.source == "constructed":
        return "The source of a constructed inventory takes no credential: its expressions could read it."
    if source.source in NEEDED:
        if kind.namespace != NEEDED[source.source]:
            return (
                f"Cloud-based inventory sources (such as {source.source}) require credentials for the matching cloud "
                "service."
            )
    elif source.source in ANY and kind.kind in ("insights", "vault"):
        return f"Credentials of type insights and vault are disallowed for {source.source} inventory sources."
    return ""


async def refuse_to_move(session: AsyncSession, inventory_id: int) -> None:
    """Raise BadRequest when sources of an inventory log in with credentials, which stay with their organization."""
    if await any_with_credential(session, inventory_id):
        raise BadRequest(
            "Sources of the inventory log in with credentials of its organization; detach them first.",
            code="inventory.credentials",
        )


async def for_run(
    session: AsyncSession, settings: Settings, credential_id: int | None
) -> tuple[ProviderCredential, ...]:
    """What the run of a source logs in with, opened. Raises SecretUnreadable, KeyMissing."""
    found = None if credential_id is None else await opened(session, settings, credential_id)
    return () if found is None else (found,)
