"""/v1/tenants."""

from fastapi import APIRouter

from craton_inv.api.crud import Crud
from craton_inv.api.v1.dialect import V1
from craton_inv.api.v1.rows import row_of
from craton_inv.api.v1.variables import add_variables_routes
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.schemas.v1.tenants import Tenant, TenantCreate, TenantList, TenantUpdate

router = APIRouter(prefix="/tenants", tags=["tenants"])

tenants = Crud(V1, router, TenantRepository, Tenant, TenantList)
tenants.list()
tenants.create(TenantCreate)
tenants.read()
tenants.replace(TenantCreate)
tenants.update(TenantUpdate)
tenants.delete()
add_variables_routes(router, "tenants", TenantRepository, row_of(TenantRepository, "tenant_id"), path="/{tenant_id}")
