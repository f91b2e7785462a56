"""`craton-inv openapi`: the OpenAPI document of a dialect, without starting anything."""

import json
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from craton_inv.app import create_app
from craton_inv.errors import SetupError
from craton_inv.settings import Settings


class DialectName(StrEnum):
    """The dialects that have a document. /api/v2 is /v2 again."""

    v1 = "v1"
    v2 = "v2"


def openapi(
    dialect: Annotated[DialectName, typer.Argument(help="Craton's dialect, or AWX's.")] = DialectName.v2,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="Instead of stdout.")] = None,
) -> None:
    """Print the OpenAPI document of a dialect."""
    text = json.dumps(document(dialect), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SetupError(f"{output} cannot be written: {error.strerror}.") from error


def document(dialect: str) -> dict[str, Any]:
    """The document of `dialect` as the service would give it. Touches no database and keeps nothing on disk."""
    with tempfile.TemporaryDirectory(prefix="craton-inv-") as folder:
        # Whatever the environment says: a document needs neither servers nor the service's own key.
        settings = Settings(data_dir=Path(folder), database_url=None, redis_url=None)
        described: dict[str, Any] = create_app(settings).state.dialects[dialect].openapi()
    return described
