"""`?host_filter=` on lists of hosts, beside what else limits them."""

from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy import ColumnElement

from craton_inv.api.query import PageWindow
from craton_inv.api.v2.listing import listed
from craton_inv.api.v2.present import HostPresenter
from craton_inv.api.v2.present.base import Viewer
from craton_inv.filters import compile_where, parse
from craton_inv.filters.nodes import Node
from craton_inv.models import Host
from craton_inv.repositories.hosts import HostRepository
from craton_inv.schemas.v2.hosts import HostList


def host_filter(
    host_filter: Annotated[
        str | None,
        Query(description='A search, as in `name=web1 or (groups__name=east and ansible_facts__os="Debian")`.'),
    ] = None,
) -> str | None:
    """The dependency of lists of hosts: the text of `?host_filter=`, None when it is absent."""
    return host_filter


HostFilterDep = Annotated[str | None, Depends(host_filter)]


async def list_hosts_where(
    viewer: Viewer,
    window: PageWindow,
    host_filter: str | None,
    *where: ColumnElement[bool],
    stored: Node | None = None,
    key: str = "detail",
) -> HostList:
    """A page of hosts for which `where` and the host_filter hold. `stored`: the search that `where` was made from.

    Raises InvalidFilter; ServiceUnavailable when the search takes longer than the settings allow.
    """
    searched = [parse(host_filter)] if host_filter else []
    where = (*where, *(compile_where(asked, Host) for asked in searched))
    repository = HostRepository(viewer.session, viewer.scope)
    presenter = HostPresenter(viewer)
    return await listed(window, repository, presenter, HostList, *where, searched=searched, stored=stored, key=key)
