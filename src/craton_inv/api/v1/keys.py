"""/v1/keys: what the keys of secrets still seal, and the job that moves it under the newest ones."""

from fastapi import APIRouter

from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.schemas.v1.keys import KeyReport, KeyVersion, RewrapOrdered, RootKey
from craton_inv.services.key_rotation import key_use, order_rewrap

router = APIRouter(prefix="/keys", tags=["keys"])


@router.get("", operation_id="list_keys")
async def list_keys(session: SessionDep, scope: ScopeDep, context: ContextDep) -> KeyReport:
    """All keys by what they still seal. For system administrators."""
    scope.require_superuser()
    use = await key_use(session, context.settings)
    return KeyReport(
        root_keys=[
            RootKey(
                id=key.id,
                first=key.id == use.first,
                configured=key.id in use.given,
                tenant_keys=key.tenant_keys,
                created=key.created,
                retired=key.retired,
            )
            for key in use.root_keys
        ],
        versions=[
            KeyVersion(version=each.version, tenants=each.tenants, retired=each.retired, secrets=each.secrets)
            for each in use.versions
        ],
    )


@router.post("/rewrap", operation_id="rewrap_keys", status_code=202)
async def rewrap_keys(session: SessionDep, scope: ScopeDep) -> RewrapOrdered:
    """Let a worker seal everything under the newest keys; asked again meanwhile, the same job."""
    scope.require_superuser()
    return RewrapOrdered(job_id=await order_rewrap(session))
