"""ETag and If-Match over an object's generation: a change meant for what was read never overwrites what came since."""

from typing import Any

from fastapi import Request, Response

from craton_inv.errors import PreconditionFailed


def etag_of(row: Any) -> str:
    """The generation in quotes."""
    return f'"{row.generation}"'


def tell_etag(response: Response, row: Any) -> None:
    """Put the ETag on an answer about one object."""
    if hasattr(row, "generation"):
        response.headers["ETag"] = etag_of(row)


def require_match(request: Request, row: Any) -> None:
    """Raise PreconditionFailed when If-Match names other generations than the row's. Without the header all is well."""
    wanted = request.headers.get("if-match")
    if wanted is None or wanted.strip() == "*" or not hasattr(row, "generation"):
        return
    if etag_of(row) not in {tag.strip().removeprefix("W/") for tag in wanted.split(",")}:
        raise PreconditionFailed(
            f"The object is at generation {row.generation}, not at {wanted[:100]}: it was changed; read it again."
        )
