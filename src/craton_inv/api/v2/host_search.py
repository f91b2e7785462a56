"""`?host_filter=` on lists of hosts: the search of filters, under its statement timeout."""

from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy import ColumnElement

from craton_inv.api.context import AppContext
from craton_inv.api.deps import ContextDep
from craton_inv.api.query import PageWindow, limit_filter_time
from craton_inv.api.v2.listing import listed
from craton_inv.api.v2.present import HostPresenter
from craton_inv.api.v2.present.base import Viewer
from craton_inv.filters import compile_where, parse
from craton_inv.models import Host
from craton_inv.repositories.hosts import HostRepository
from craton_inv.schemas.v2.hosts import HostList


class HostFilter:
    """The text of `?host_filter=`, None when the parameter is absent."""

    def __init__(self, text: str | None, context: AppContext) -> None:
        self.text = text
        self.settings = context.settings


def host_filter(
    context: ContextDep,
    host_filter: Annotated[
        str | None,
        Query(description='A search, as in `name=web1 or (groups__name=east and ansible_facts__os="Debian")`.'),
    ] = None,
) -> HostFilter:
    """The dependency of lists of hosts."""
    return HostFilter(host_filter, context)


HostFilterDep = Annotated[HostFilter, Depends(host_filter)]


async def list_hosts_where(
    viewer: Viewer, window: PageWindow, host_filter: HostFilter, *where: ColumnElement[bool], search: bool = False
) -> HostList:
    """A page of hosts for which `where` and the host_filter hold. `search`: `where` is a search, not an index look-up.

    Raises InvalidFilter; ServiceUnavailable when the search takes longer than the settings allow.
    """
    if host_filter.text:
        where = (*where, compile_where(parse(host_filter.text), Host))
        search = True
    if search:
        await limit_filter_time(viewer.session, host_filter.settings)
    repository = HostRepository(viewer.session, viewer.scope)
    return await listed(window, repository, HostPresenter(viewer), HostList, *where, key="error")
