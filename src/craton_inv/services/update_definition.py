"""What an update keeps of its source, and what of a source its provider gets to see."""

from typing import Any

from craton_inv.models import InventorySource, InventorySourceUpload
from craton_inv.providers.base import SourceDefinition, Upload

# What an update keeps of its source: how it was when the update was asked for, then how it was when it started.
DEFINITION = (
    "source", "source_path", "source_vars", "source_project_id", "scm_branch", "enabled_var", "enabled_value",
    "host_filter", "overwrite", "overwrite_vars", "timeout", "verbosity", "limit",
    "trusted_connection_vars",
)  # fmt: skip


def kept_definition(source: InventorySource) -> dict[str, Any]:
    """What an update keeps of its source."""
    return {name: getattr(source, name) for name in DEFINITION}


def definition_of(source: InventorySource, update_id: int, upload: InventorySourceUpload | None) -> SourceDefinition:
    """The source as its provider sees it. A `source_path` wins over an upload."""
    uploaded = None if upload is None or source.source_path else Upload(upload.filename, upload.content)
    return SourceDefinition(
        id=source.id,
        inventory_id=source.inventory_id,
        tenant_id=source.tenant_id,
        kind=source.source,
        update_id=update_id,
        source_path=source.source_path,
        source_vars=source.source_vars,
        enabled_var=source.enabled_var,
        enabled_value=source.enabled_value,
        host_filter=source.host_filter,
        limit=source.limit,
        verbosity=source.verbosity,
        trusted_connection_vars=source.trusted_connection_vars,
        upload=uploaded,
        source_project_id=source.source_project_id,
        scm_branch=source.scm_branch,
    )
