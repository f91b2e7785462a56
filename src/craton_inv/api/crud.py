"""The typed route factory: six verbs for a plain resource, in either dialect. No flags, no hooks.

    tenants = Crud(V1, router, TenantRepository, schemas.Tenant, schemas.TenantList)
    tenants.list()
    tenants.create(schemas.TenantCreate)

A verb that wants something else is a route written by hand beside it. (No postponed annotations: FastAPI reads them.)
"""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.dialect import Dialect, Window
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.db.base import Base
from craton_inv.filters.paths import singular
from craton_inv.repositories.base import Repository

M = TypeVar("M", bound=Base)


class Crud(Generic[M]):
    """Routes of one resource on `router`, whose prefix is its plural name. `schema` shows a row, `envelope` a list."""

    def __init__(
        self,
        dialect: Dialect,
        router: APIRouter,
        repository: type[Repository[M]],
        schema: type[Any],
        envelope: type[BaseModel],
    ) -> None:
        self.dialect = dialect
        self.router = router
        self.schema = schema
        self.envelope = envelope
        self.plural = router.prefix.strip("/").split("/")[-1]
        self.singular = singular(self.plural)

        def made(session: SessionDep, scope: ScopeDep) -> Repository[M]:
            return repository(session, scope)

        self.Rows = Annotated[Repository[M], Depends(made)]
        self.Window = Annotated[Window, Depends(dialect.window)]
        self.Id = Annotated[PathId, Path(alias=dialect.id_name(self.plural))]
        self.one = f"/{{{dialect.id_name(self.plural)}}}{dialect.slash}"

    def list(self) -> None:
        """GET of the collection."""
        rows_type, window_type, schema, envelope = self.Rows, self.Window, self.schema, self.envelope

        async def endpoint(rows: rows_type, window: window_type) -> Any:  # type: ignore[valid-type]
            return await window.answer(rows, schema, envelope)  # type: ignore[attr-defined]

        self._add("GET", self.dialect.slash, endpoint, f"list_{self.plural}", f"List {self.plural}", envelope)

    def create(self, body_schema: type[BaseModel]) -> None:
        """POST to the collection: 201 with Location."""
        rows_type, schema = self.Rows, self.schema

        async def endpoint(rows: rows_type, body: body_schema, request: Request, response: Response) -> Any:  # type: ignore[valid-type]
            row = await rows.create(body.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
            root = request.scope.get("root_path", "")
            response.headers["Location"] = f"{root}/{self.plural}/{row.id}{self.dialect.slash}"
            return await self._shown(rows, row, response, schema, root)

        self._add(
            "POST", self.dialect.slash, endpoint, f"create_{self.singular}", f"Create a {self.singular}", schema, 201
        )

    def read(self) -> None:
        """GET of one object, with its ETag."""
        rows_type, id_type, schema = self.Rows, self.Id, self.schema

        async def endpoint(rows: rows_type, row_id: id_type, request: Request, response: Response) -> Any:  # type: ignore[valid-type]
            row = await rows.get(row_id)  # type: ignore[attr-defined]
            return await self._shown(rows, row, response, schema, request.scope.get("root_path", ""))

        self._add("GET", self.one, endpoint, f"get_{self.singular}", f"Read a {self.singular}", schema)

    def replace(self, body_schema: type[BaseModel]) -> None:
        """PUT of one object: what the body demands must be there, what it leaves out stays (Craton and AWX alike)."""
        self._change("PUT", "replace", body_schema)

    def update(self, body_schema: type[BaseModel]) -> None:
        """PATCH of one object."""
        self._change("PATCH", "update", body_schema)

    def delete(self) -> None:
        """DELETE of one object: 204."""
        rows_type, id_type = self.Rows, self.Id

        async def endpoint(rows: rows_type, row_id: id_type, request: Request) -> None:  # type: ignore[valid-type]
            row = await rows.get(row_id, lock=True)  # type: ignore[attr-defined]
            require_match(request, row)
            await rows.delete(row)  # type: ignore[attr-defined]

        self._add("DELETE", self.one, endpoint, f"delete_{self.singular}", f"Delete a {self.singular}", None, 204)

    def _change(self, method: str, verb: str, body_schema: type[BaseModel]) -> None:
        rows_type, id_type, schema = self.Rows, self.Id, self.schema

        async def endpoint(
            rows: rows_type,  # type: ignore[valid-type]
            row_id: id_type,  # type: ignore[valid-type]
            body: body_schema,  # type: ignore[valid-type]
            request: Request,
            response: Response,
        ) -> Any:
            row = await rows.get(row_id, lock=True)  # type: ignore[attr-defined]
            require_match(request, row)
            await rows.change(row, body.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
            return await self._shown(rows, row, response, schema, request.scope.get("root_path", ""))

        operation = f"{verb}_{self.singular}"
        self._add(method, self.one, endpoint, operation, f"{verb.capitalize()} a {self.singular}", schema)

    @staticmethod
    async def _shown(rows: Repository[Any], row: Any, response: Response, schema: Any, root: str) -> Any:
        await rows.complete([row])
        tell_etag(response, row)
        return schema.of(row, root)

    def _add(
        self,
        method: str,
        path: str,
        endpoint: Callable[..., Any],
        operation: str,
        summary: str,
        answer: type[BaseModel] | None,
        status: int = 200,
    ) -> None:
        self.router.add_api_route(
            path,
            endpoint,
            methods=[method],
            operation_id=operation,
            name=operation,
            summary=summary,
            response_model=answer,
            status_code=status,
        )
