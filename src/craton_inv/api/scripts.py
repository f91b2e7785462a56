"""Answers of the script routes of both dialects: bytes as they were rendered, with ETag and If-None-Match."""

from collections.abc import Container
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import Request, Response
from pydantic import RootModel
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.api.searches import searching
from craton_inv.models import Inventory
from craton_inv.services.scripts import Script
from craton_inv.services.smart_inventories import search_of
from craton_inv.settings import Settings


class InventoryScript(RootModel[dict[str, Any]]):
    """Ansible's inventory script document: `all`, one key per group with content, and `_meta.hostvars` if asked for.

    With `host`, the variables of that host.
    """


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": InventoryScript, "headers": {"ETag": {"description": "The state.", "schema": {"type": "string"}}}},
    304: {"description": "Unchanged since the state that If-None-Match names."},
}


class _Everything(Container[str]):
    """`If-None-Match: *` knows every state."""

    def __contains__(self, _: object) -> bool:
        return True


def known_tags(request: Request) -> Container[str]:
    """The states of which the caller says that he has them."""
    said = request.headers.get("if-none-match", "")
    if said.strip() == "*":
        return _Everything()
    return {tag.strip().removeprefix("W/") for tag in said.split(",")}


def answer(script: Script) -> Response:
    """200 with the document, or 304."""
    headers = {"ETag": script.tag, "Vary": "Authorization"}
    if script.body is None:
        return Response(status_code=304, headers=headers)
    return Response(script.body, media_type="application/json", headers=headers)


def limited(session: AsyncSession, inventory: Inventory, settings: Settings) -> AbstractAsyncContextManager[None]:
    """Hold a smart inventory to the time of filtered lists: its rows come from a search that somebody wrote."""
    return searching(session, settings, search_of(inventory))
