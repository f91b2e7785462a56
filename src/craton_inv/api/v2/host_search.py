"""`?host_filter=` on lists of hosts, beside what else limits them."""

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy import ColumnElement

from craton_inv.api.query import PageWindow, refused_under
from craton_inv.api.v2.listing import listed
from craton_inv.api.v2.present import HostPresenter
from craton_inv.api.v2.present.base import Viewer
from craton_inv.filters import compile_where, parse
from craton_inv.models import Host, Inventory
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.hosts import HostList
from craton_inv.services import smart_inventories

OF_INVENTORY = frozenset({"inventory", "inventory__exact", "inventory__id", "inventory__id__exact"})
_ID = re.compile(r"[0-9]{1,18}\Z")


def host_filter(
    host_filter: Annotated[
        str | None,
        Query(description='A search, as in `name=web1 or (groups__name=east and ansible_facts__os="Debian")`.'),
    ] = None,
) -> str | None:
    """The dependency of lists of hosts: the text of `?host_filter=`, None when it is absent."""
    return host_filter


HostFilterDep = Annotated[str | None, Depends(host_filter)]


async def take_smart_inventories(viewer: Viewer, window: PageWindow) -> list[Inventory]:
    """The smart inventories that `?inventory=` asks for, which stands among the window's parameters no more.

    As a plain parameter it means the inventory that a host belongs to, and no host belongs to a smart one: AWX's list
    is empty then. With `or__` or `not__` before it, and inside a host_filter, it keeps the plain meaning.
    """
    named = {int(text) for key, text in window.params if key in OF_INVENTORY and _ID.match(text)}
    found = await InventoryRepository(viewer.session, viewer.scope).smart_among(named)
    ids = {row.id for row in found}
    window.params = [
        (key, text) for key, text in window.params if not (key in OF_INVENTORY and _ID.match(text) and int(text) in ids)
    ]
    return found


async def list_hosts_where(
    viewer: Viewer,
    window: PageWindow,
    host_filter: str | None,
    *where: ColumnElement[bool],
    inventories: Sequence[Inventory] = (),
    key: str = "detail",
) -> HostList:
    """A page of hosts for which `where` and the host_filter hold, and that every one of `inventories` has.

    Raises InvalidFilter; ServiceUnavailable when the search takes longer than the settings allow.
    """
    with refused_under(key):
        searched = [parse(host_filter)] if host_filter else []
        within = map(smart_inventories.hosts_of, inventories)
        where = (*where, *within, *(compile_where(asked, Host) for asked in searched))
        stored = smart_inventories.searches_of(inventories)
    repository = HostRepository(viewer.session, viewer.scope)
    presenter = HostPresenter(viewer)
    return await listed(window, repository, presenter, HostList, *where, searched=searched, stored=stored, key=key)
