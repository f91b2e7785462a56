"""Labels in the database, and the links by which inventories and hosts bear them.

Locks are taken in one order, the inventory of a host, what bears a label, the label, so that two changes of links never
wait for each other in a ring, nor for who moves or deletes the inventory. Who attaches a label holds it (FOR KEY SHARE:
many may at once); who detaches one locks it, for the last link takes it along.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from craton_inv.models import Host, HostLabel, Inventory, InventoryLabel, Label
from craton_inv.repositories.base import Repository
from craton_inv.repositories.sets import integer

Bearer = Inventory | Host


class LabelRepository(Repository[Label]):
    """Labels of the caller's tenants."""

    model = Label
    label = "Label"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_labels_tenant_id_name": "Label with this Name and Organization already exists."
    }

    async def hold(self, label_id: int) -> Label | None:
        """The label, kept from being deleted until the transaction ends; None when it is gone."""
        query = self.visible().where(Label.id == label_id).with_for_update(read=True, key_share=True)
        found: Label | None = await self.session.scalar(query)
        return found

    async def hold_named(self, tenant_id: int, name: str) -> tuple[Label, bool]:
        """The tenant's label of that name, made when there is none, and held. Second: whether it was made.

        Two that make it together wait for each other here, and get the same one.
        """
        named = select(Label).where(self.visible_condition(), Label.tenant_id == tenant_id, Label.name == name)
        held = named.with_for_update(read=True, key_share=True)
        found = await self.session.scalar(held)
        if found is not None:
            return found, False
        self.scope.require(tenant_id, self.write_roles, "labels")
        author = self.scope.user_id
        new = insert(Label).values(tenant_id=tenant_id, name=name, created_by_id=author, modified_by_id=author)
        made: Label | None = await self.session.scalar(_or_locked(new).returning(Label))
        if made is not None:
            return made, True
        return (await self.session.scalars(named)).one(), False

    async def delete_unused(self, label_id: int) -> None:
        """Delete a label that nothing bears. The caller has locked it."""
        await self.session.execute(delete(Label).where(Label.id == label_id, ~_borne(Label.id)))


@dataclass(frozen=True)
class _Links:
    """The table of links of one kind of bearer, and its column that names the bearer."""

    table: Any
    owner: Any

    @classmethod
    def of(cls, bearer: Bearer) -> "_Links":
        """Those of a bearer's kind."""
        if isinstance(bearer, Inventory):
            return cls(InventoryLabel, InventoryLabel.inventory_id)
        return cls(HostLabel, HostLabel.host_id)


class LabelLinks:
    """Adds and removes links between rows that the caller already got, and may write, through their repositories."""

    def __init__(self, session: AsyncSession, bearer: Bearer) -> None:
        self.session = session
        self.bearer = bearer
        self.links = _Links.of(bearer)

    async def lock_bearer(self) -> None:
        """One transaction at a time changes the labels of an inventory or host: they are counted.

        The inventory of a host is held first: who deletes or moves it locks it before its hosts.
        """
        model = type(self.bearer)
        if isinstance(self.bearer, Host):
            inventory = select(Inventory.id).where(Inventory.id == self.bearer.inventory_id)
            await self.session.execute(inventory.with_for_update(read=True, key_share=True))
        await self.session.execute(
            select(model.id).where(model.id == self.bearer.id).with_for_update(of=model, key_share=True)
        )

    async def is_attached(self, label: Label) -> bool:
        """Whether the bearer has the label."""
        return await self.session.scalar(select(self.links.owner).where(*self._these(label.id))) is not None

    async def count(self) -> int:
        """How many labels the bearer has."""
        query = select(func.count()).select_from(self.links.table).where(self.links.owner == self.bearer.id)
        return await self.session.scalar(query) or 0

    async def add(self, label: Label) -> None:
        """Attach a label that is held."""
        values = {self.links.owner.key: self.bearer.id, "label_id": label.id, "tenant_id": label.tenant_id}
        if isinstance(self.bearer, Host):
            values["inventory_id"] = self.bearer.inventory_id
        await self.session.execute(insert(self.links.table).values(values).on_conflict_do_nothing())

    async def remove(self, label: Label) -> None:
        """Detach a label; nothing happens when it is not attached."""
        await self.session.execute(delete(self.links.table).where(*self._these(label.id)))

    def _these(self, label_id: int) -> tuple[ColumnElement[bool], ...]:
        return self.links.owner == self.bearer.id, self.links.table.label_id == label_id


def of_inventory(inventory_id: int) -> ColumnElement[bool]:
    """Labels of an inventory."""
    return Label.id.in_(select(InventoryLabel.label_id).where(InventoryLabel.inventory_id == inventory_id))


def of_host(host_id: int) -> ColumnElement[bool]:
    """Labels of a host."""
    return Label.id.in_(select(HostLabel.label_id).where(HostLabel.host_id == host_id))


async def begin_move(session: AsyncSession) -> None:
    """From now to `end_move` an inventory and the links of its labels may be of different tenants."""
    await session.execute(text(f"SET CONSTRAINTS {_TENANT_OF_LINKS} DEFERRED"))


async def end_move(session: AsyncSession, inventory: Inventory, author: int | None) -> None:
    """Give an inventory that has a new tenant, and its hosts, that tenant's labels of the names they bear.

    Labels that are missing there are made; those that nothing bears any more go. Five statements, whatever the size.
    """
    tenant = integer(inventory.tenant_id)
    worn = or_(
        *(
            Label.id.in_(select(table.label_id).where(table.inventory_id == inventory.id))
            for table in (InventoryLabel, HostLabel)
        )
    )
    missing = select(tenant, Label.name, literal(author), literal(author)).where(worn).order_by(Label.name)
    columns = ["tenant_id", "name", "created_by_id", "modified_by_id"]
    await session.execute(_or_locked(insert(Label).from_select(columns, missing)))
    old, new = aliased(Label), aliased(Label)
    for table in (InventoryLabel, HostLabel):
        await session.execute(
            update(table)
            .where(table.inventory_id == inventory.id, old.id == table.label_id)
            .where(new.name == old.name, new.tenant_id == tenant)
            .values(label_id=new.id, tenant_id=tenant)
        )
    await session.execute(text(f"SET CONSTRAINTS {_TENANT_OF_LINKS} IMMEDIATE"))


_TENANT_OF_LINKS = ", ".join(f"fk_{table}_inventory_id_tenant_id" for table in ("inventory_labels", "host_labels"))


def _borne(label_id: Any) -> ColumnElement[bool]:
    return or_(*(exists().where(table.label_id == label_id) for table in (InventoryLabel, HostLabel)))


def _or_locked(statement: Any) -> Any:
    """A label that is there already is locked, not changed: the condition that never holds keeps it as it is."""
    same = {"modified_by_id": Label.modified_by_id}
    return statement.on_conflict_do_update(
        index_elements=[Label.tenant_id, Label.name], set_=same, where=literal(False)
    )
