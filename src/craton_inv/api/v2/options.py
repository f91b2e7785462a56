"""OPTIONS of /v2 paths: what AWX's clients build their commands from, made from the routes' own schemas.

awxkit reads `actions` (only GET and POST on lists), each field's `type`, `required`, `choices`, and the Allow header.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.dependencies.utils import get_flat_params
from pydantic import BaseModel

from craton_inv import models
from craton_inv.filters.paths import catalogue
from craton_inv.providers import registry

# Fields that name another object: awxkit resolves names given for them over the root map.
REFERENCES = frozenset(
    {"organization", "inventory", "inventory_source", "user", "credential", "credential_type", "source_project"}
)
JSON_TEXTS = frozenset({"variables", "source_vars"})
# Names that awxkit's own options take: a field so called stops the whole command.
TAKEN = frozenset({"verbose", "filter", "all", "order_by", "action", "resource"})
# Lists whose POST attaches what is there: awxkit exports their members by id.
ATTACHING = frozenset({"/hosts/{id}/groups/", "/groups/{id}/hosts/", "/groups/{id}/children/"})
SEARCHED = ("description", "name")
# Objects whose rows are called otherwise.
ROWS = {"Organization": "Tenant"}
LINKING = frozenset({"id", "associate", "disassociate"})
READ_ONLY = frozenset({"id", "type", "url", "related", "summary_fields", "created", "modified"})
_TYPES = {"integer": "integer", "boolean": "boolean", "number": "float", "object": "object", "array": "list"}


def describe(routes: Sequence[Any]) -> dict[str, Any]:
    """The body of OPTIONS for the routes of one path."""
    by_method = {method: route for route in routes for method in route.methods}
    first = by_method.get("GET") or routes[0]
    shown = _shown(first)
    listing = shown is not None and _is_list(first)
    actions: dict[str, Any] = {}
    if shown is not None and "GET" in by_method:
        actions["GET"] = _fields(shown, "serialization", first.path) | (_searches(first) if listing else {})
    if "POST" in by_method:
        actions["POST"] = _accepted(by_method["POST"])
    if "PUT" in by_method and not listing:
        actions["PUT"] = _accepted(by_method["PUT"])
    described: dict[str, Any] = {
        "name": " ".join(word.capitalize() for word in first.name.split("_")),
        "description": (first.endpoint.__doc__ or "").strip(),
        "renders": ["application/json"],
        "parses": ["application/json"],
        "actions": actions,
    }
    if listing and shown is not None:
        described |= {
            "types": [_type_name(shown)],
            "search_fields": [name for name in SEARCHED if name in shown.model_fields] or ["username"],
            "related_search_fields": [],
            "max_page_size": 200,
        }
    return described


def _is_list(route: Any) -> bool:
    model = getattr(route, "response_model", None)
    return isinstance(model, type) and issubclass(model, BaseModel) and "results" in model.model_fields


def _shown(route: Any) -> type[BaseModel] | None:
    """The schema of one object that the route answers with."""
    model = getattr(route, "response_model", None)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    if "results" in model.model_fields:
        inner = getattr(model.model_fields["results"].annotation, "__args__", ())
        return inner[0] if inner and isinstance(inner[0], type) else None
    return model


def _accepted(route: Any) -> dict[str, Any]:
    field = getattr(route, "body_field", None)
    model = field.field_info.annotation if field is not None else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return {}
    fields = _fields(model, "validation", route.path)
    if not set(fields) >= LINKING:
        return fields
    if "name" not in fields:  # a list that only attaches what is there
        return {"id": fields["id"] | {"required": True}}
    # A list below an object: creating needs a name, and says nothing of the inventory, which the parent settles.
    kept = LINKING - {"id"} if route.path in ATTACHING else LINKING
    fields = {name: about for name, about in fields.items() if name not in kept and name != "inventory"}
    fields["name"]["required"] = True
    return fields


def _filters(model: type[BaseModel]) -> frozenset[str]:
    """The fields of an object that its lists take as filters: what is reckoned for the answer is none."""
    name = model.__name__.removesuffix("Row")
    row = getattr(models, ROWS.get(name, name), None)
    return frozenset() if row is None else catalogue(row).known


def _searches(route: Any) -> dict[str, Any]:
    """`host_filter` where the list takes it. AWX does not tell it, so that `awx hosts list --host_filter` lists all."""
    told = {"type": "string", "label": "Host filter", "filterable": True}
    return {
        parameter.alias: told | {"help_text": parameter.field_info.description or ""}
        for parameter in get_flat_params(route.dependant)
        if parameter.alias == "host_filter"
    }


def _fields(model: type[BaseModel], mode: Any, path: str) -> dict[str, Any]:
    schema = model.model_json_schema(mode=mode)
    required = set(schema.get("required", ())) if mode == "validation" else set()
    filters = _filters(model) if mode == "serialization" else frozenset()
    fields: dict[str, Any] = {}
    for name, about in schema.get("properties", {}).items():
        if name in TAKEN:
            continue
        fields[name] = _field(name, about, mode == "serialization")
        if mode == "serialization":
            fields[name]["filterable"] = name in filters and fields[name]["type"] not in ("object", "list")
        if mode == "validation":
            fields[name]["required"] = name in required
        if name == "source" and path.startswith(("/inventory_sources/", "/inventories/")):
            fields[name] |= {
                "type": "choice",
                "choices": [["", "Manual"], *([kind, kind] for kind in registry.kinds())],
            }
        if name == "kind" and path.startswith("/inventories/"):
            fields[name] |= {"type": "choice", "choices": [["", "Regular inventory"], ["smart", "Smart inventory"]]}
    return fields


def _field(name: str, about: Mapping[str, Any], reading: bool) -> dict[str, Any]:
    field: dict[str, Any] = {
        "type": _field_type(name, about),
        "label": name.replace("_", " ").capitalize(),
        "help_text": about.get("description", ""),
    }
    if not reading:
        field["read_only"] = False
        for key, meaning in (("default", "default"), ("maxLength", "max_length"), ("minimum", "min_value")):
            if key in about:
                field[meaning] = about[key]
    return field


def _field_type(name: str, about: Mapping[str, Any]) -> str:
    if name in JSON_TEXTS:
        return "json"
    options = [about, *about.get("anyOf", ())]
    kinds = [option["type"] for option in options if option.get("type") not in (None, "null")]
    if "boolean" in kinds:
        return "boolean"
    if name in REFERENCES or (name == "id" and "integer" in kinds):
        return "id" if name != "id" else "integer"
    if any(option.get("format") == "date-time" for option in options):
        return "datetime"
    return _TYPES.get(kinds[0], "string") if kinds else "field"


def _type_name(model: type[BaseModel]) -> str:
    words = "".join(f"_{char.lower()}" if char.isupper() else char for char in model.__name__).strip("_")
    return words.removesuffix("_row")
