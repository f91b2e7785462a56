"""Unknown query parameters are refused: a misspelt filter must never answer with everything."""

from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query

from craton_inv.errors import InvalidField


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise InvalidField for a query parameter that the route does not declare."""
    if not request.query_params:
        return
    fields = get_flat_params(request.scope["route"].dependant)
    known = {field.alias for field in fields if isinstance(field.field_info, Query)}
    for name in request.query_params:
        if name not in known:
            close = get_close_matches(name, sorted(known), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise InvalidField(name[:100], f"Unknown query parameter{hint}", code="unknown_parameter")
