"""The inputs of a constructed inventory, read from the database piece by piece while its update runs."""

from collections.abc import AsyncGenerator, AsyncIterator

from sqlalchemy import ColumnElement, Text, and_, cast, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_text import dumps, encode
from craton_inv.ansible.script import host_document, render
from craton_inv.db.session import SessionFactory
from craton_inv.models import Host, HostFacts, Inventory
from craton_inv.providers.base import InputInventory
from craton_inv.repositories import input_inventories
from craton_inv.repositories.inventory_view import InventoryViewRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.smart_inventories import hosts_of

PIECE = 1 << 20  # bytes of a document that are handed on at once
ROWS = 500  # rows that the database sends at once


class Inputs:
    """Called by the provider of kind `constructed`: the inputs of one inventory, all as of one moment."""

    def __init__(self, factory: SessionFactory, inventory_id: int) -> None:
        self.factory = factory
        self.inventory_id = inventory_id

    async def __call__(self) -> AsyncGenerator[InputInventory, None]:
        """The inputs in their order. Raises InvalidFilter for a smart one whose stored search no longer fits."""
        async with self.factory() as session:
            # What the update reads belongs together; its length is that of the inventories, not of a request.
            await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            for inventory in await input_inventories.inputs(session, self.inventory_id):
                yield InputInventory(
                    inventory.name, script_of(session, inventory), facts_of(session, hosts_of(inventory))
                )


async def script_of(session: AsyncSession, inventory: Inventory) -> AsyncIterator[bytes]:
    """The document of an inventory with variables of its enabled hosts and what AWX tells of each, in pieces."""
    views = InventoryViewRepository(session, SYSTEM)
    if inventory.kind == "smart":
        view = await views.search(hosts_of(inventory), variables=inventory.variables, host_variables=False)
    else:
        view = await views.load(inventory, variables=inventory.variables, host_variables=False)
    yield encode(render(view))[:-1] + b',"_meta":{"hostvars":{'
    piece: list[str] = []
    size, before = 0, ""
    async for host in views.stream_hosts(hosts_of(inventory), rows=ROWS):
        piece.append(f"{before}{dumps(host.name)}:{host_document(host, towervars=True)}")
        size, before = size + len(piece[-1]), ","
        if size >= PIECE:
            yield "".join(piece).encode()
            piece, size = [], 0
    yield "".join([*piece, "}}}"]).encode()


async def facts_of(session: AsyncSession, where: ColumnElement[bool]) -> AsyncIterator[tuple[str, bytes]]:
    """Names of the enabled hosts that facts are known of, with these as JSON text."""
    query = (
        select(Host.name, cast(HostFacts.facts, Text))
        .join(HostFacts, HostFacts.host_id == Host.id)
        .where(and_(where, Host.enabled))
    )
    connection = await session.connection()
    async for name, facts in await connection.stream(query, execution_options={"yield_per": ROWS}):
        yield name, facts.encode()
