"""What filters reach on models beyond columns and relationships (the conventions of `filters.paths`)."""

from typing import Any

from craton_inv.filters.paths import JsonRoot


def variables_root(model: Any) -> JsonRoot:
    """`variables__…`: the structured variables; a lone lookup looks at the text as written."""
    return JsonRoot(model.variables, text_column=model.variables_text)
