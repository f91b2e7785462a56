"""Every operation of both dialects, read from their OpenAPI documents, and requests that fit them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from craton_inv.app import create_app
from craton_inv.settings import Settings

DIALECTS = ("v1", "v2")
# What a path parameter of /v2 called `id` means, by the first segment of the path.
V2_KINDS = {
    "organizations": "tenant",
    "inventories": "inventory",
    "constructed_inventories": "constructed",
    "hosts": "host",
    "groups": "group",
    "inventory_sources": "source",
    "inventory_updates": "update",
    "tokens": "token",
    "users": "user",
    "labels": "label",
    "activity_stream": "activity",
    "projects": "project",
    "project_updates": "project_update",
    "schedules": "schedule",
    "credentials": "credential",
    "credential_types": "credential_type",
    "hypervisors": "hypervisor",
    "flavors": "flavor",
    "images": "image",
    "networks": "network",
    "disks": "disk",
    "network_ports": "network_port",
    "resources": "resource",
}
V1_KINDS = {
    "tenant_id": "tenant",
    "region_id": "region",
    "host_id": "host",
    "group_id": "group",
    "child_id": "child",
    "token_id": "token",
    "user_id": "user",
    "grant_id": "grant",
    "job_id": "job",
}
# Integers in bodies that name a row, and those that name none.
BODY_KINDS = {
    "tenant_id": "tenant",
    "region_id": "region",
    "inventory_id": "inventory",
    "user_id": "user",
    "organization": "tenant",
    "inventory": "inventory",
    "host": "host",
    "source_project": "project",
    "unified_job_template": "source",
    ("HostLink", "id"): "host",
    ("InputInventoryLink", "id"): "inventory",
    ("GroupLink", "id"): "group",
    ("LabelLink", "id"): "label",
    ("CredentialLink", "id"): "credential",
    "credential": "credential",
    "credential_type": "credential_type",
}
PLAIN_INTEGERS = frozenset(
    {"deprecated_group", "timeout", "verbosity", "update_cache_timeout", "scm_update_cache_timeout"}
)


@dataclass(frozen=True)
class Operation:
    """One method of one path. `body` is the schema of its JSON body, resolved, with its name."""

    dialect: str
    method: str
    path: str
    operation_id: str
    path_names: tuple[str, ...]
    query_names: tuple[str, ...]
    body: Mapping[str, Any] | None = field(compare=False, default=None)
    body_name: str = ""
    content_types: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} /{self.dialect}{self.path}"

    def kind_of(self, name: str) -> str:
        """The kind of row a path parameter names. KeyError: register it above."""
        if self.dialect == "v1":
            return V1_KINDS[name]
        return V2_KINDS[self.path.split("/")[1]]

    def url(self, ids: Mapping[str, int]) -> str:
        """The path with ids by parameter name."""
        return f"/{self.dialect}{self.path.format(**ids)}"

    def references(self) -> dict[str, str]:
        """The fields of the JSON body that name rows, with their kinds. KeyError: register the field above."""
        found = {}
        for name, schema in (self.body or {}).get("properties", {}).items():
            if not _is_integer(schema) or name in PLAIN_INTEGERS:
                continue
            found[name] = BODY_KINDS.get((self.body_name, name)) or BODY_KINDS[name]
        return found

    def example(self, ids: Mapping[str, int]) -> Any:
        """The smallest body that the schema takes; `ids` by kind fill its references."""
        if self.body is None:
            return None
        if self.body.get("type") == "array":
            return []
        kinds = self.references()
        made: dict[str, Any] = {}
        for name in self.body.get("required", ()):
            made[name] = ids[kinds[name]] if name in kinds else f"example-{name}"
        if self.operation_id == "explain_host_filter":
            made["host_filter"] = "name=example"
        if self.operation_id in ("create_host", "create_group") and self.dialect == "v1":
            made["inventory_id"] = ids["inventory"]
        if self.body_name.endswith("Link"):
            made["name"] = "example-name"
        if self.operation_id == "create_grant":
            made["role"] = "reader"
        return made


def _is_integer(schema: Mapping[str, Any]) -> bool:
    if "enum" in schema:
        return False
    parts = schema.get("anyOf", [schema])
    kinds = {part.get("type") for part in parts}
    return "integer" in kinds and "boolean" not in kinds


@cache
def operations() -> tuple[Operation, ...]:
    """All of them, in the order of the documents."""
    app = create_app(Settings(secret_key="documents"))  # type: ignore[arg-type]
    found = []
    for dialect in DIALECTS:
        document = app.state.dialects[dialect].openapi()
        schemas = document["components"]["schemas"]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                content = operation.get("requestBody", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema")
                name = ""
                if schema is not None and "$ref" in schema:
                    name = schema["$ref"].rsplit("/", 1)[-1]
                    schema = schemas[name]
                parameters = operation.get("parameters", [])
                found.append(
                    Operation(
                        dialect,
                        method.upper(),
                        path,
                        operation["operationId"],
                        tuple(each["name"] for each in parameters if each["in"] == "path"),
                        tuple(each["name"] for each in parameters if each["in"] == "query"),
                        schema,
                        name,
                        tuple(content),
                    )
                )
    return tuple(found)
