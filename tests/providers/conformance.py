"""What every provider is held to: by target an object becomes what a full refresh makes of it, and nothing else moves.

Works on any kind and any source of it: `Conformance.of` refreshes the source in full and keeps what is saved; each
check then breaks something, refreshes one object by target, and compares every row of the inventory.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.providers.events import ObjectRef
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.settings import Settings
from tests.providers import saved
from tests.providers.running import Run, refresh
from tests.providers.saved import Key, Row
from tests.refresh.world import World, written

CHECKS = ("unchanged", "noted", "altered", "lost", "unknown", "gone", "never_there")  # of one object, by `run`
LAST = "0123456789abcdefghijkl"  # by one of these the last character of an id is replaced to make it a foreign one


@dataclass(frozen=True)
class Asked:
    """An object of the provider, and one way of asking for it."""

    key: Key
    ref: ObjectRef


@dataclass(frozen=True)
class Conformance:
    """A source, refreshed in full into a world of its own. `whole`: the rows that this left.

    `sent`: the columns that the provider fills, by collection.
    """

    world: World
    settings: Settings
    source: SourceDefinition
    around: Mapping[str, Any]
    first: Run
    whole: saved.State
    sent: Mapping[str, AbstractSet[str]]

    @classmethod
    async def of(
        cls, world: World, settings: Settings, source: SourceDefinition, around: Mapping[str, Any] | None = None
    ) -> "Conformance":
        """Refresh a source in full. `around`: surroundings such as `recorded`."""
        sent: dict[str, set[str]] = {}
        first = await refresh(world, settings, source, around=around, parser=lambda parser: Noting(parser, sent))
        assert first.incomplete == {}
        return cls(world, settings, source, around or {}, first, await saved.read(world, first.collections), sent)

    async def read(self) -> dict[Key, Row]:
        """What is saved now."""
        return await saved.read(self.world, self.first.collections)

    async def refresh(self, *asked: ObjectRef, **options: Any) -> Run:
        """Refresh all, or what is asked for; it has to be read completely."""
        run = await refresh(self.world, self.settings, self.source, asked=asked, around=self.around, **options)
        assert run.incomplete == {}
        return run

    def objects(self) -> Iterator[Asked]:
        """Every object that the kind can be asked for, in every way that the kind declares and the object has."""
        provider = registry.get(self.source.kind)
        if not provider.allow_targeted_refresh:
            return
        for association, ways in provider.target_refs.items():
            collection = self.first.collections[association]
            for key, row in self.whole.items():
                if key.collection == association:
                    values = {**row.content, **dict(zip(collection.manager_ref, key.identity, strict=True))}
                    for columns in ways:
                        if all(values[column] for column in columns):
                            yield Asked(key, ObjectRef(association, {name: values[name] for name in columns}))

    async def run(self, check: str, asked: Asked) -> None:
        """One of CHECKS; says of which object it failed."""
        try:
            await getattr(self, check)(asked)
        except AssertionError as failure:
            failure.add_note(f"{self.source.kind}: {check}: {asked.ref.association} {dict(asked.ref.manager_ref)}")
            raise

    async def unchanged(self, asked: Asked) -> None:
        """An object as it is: found, and nothing is written."""
        before = await self.read()
        run = await self.refresh(asked.ref)
        assert run.counts[asked.ref.association].delivered == 1
        assert written(run.counts) == 0
        assert saved.touched(before, await self.read()) == set()

    async def noted(self, asked: Asked) -> None:
        """The same in an update, which keeps when it asked: that is all that is written, in the layers of what came."""
        before = await self.read()
        now = datetime.now(UTC)
        run = await self.refresh(asked.ref, version=now, newest=now)
        assert written(run.counts) == 0
        after = await self.read()
        assert saved.shown(after) == saved.shown(before)
        came = saved.with_links(self._whole(asked), self.whole)
        assert saved.touched(before, after) == {key for key in came if key.collection.endswith(saved.LAYER)}

    async def altered(self, asked: Asked) -> None:
        """An object of which every column is wrong, and those of its parts: all become right, and no other is written.

        A part without content of its own is gone before.
        """
        parts = {key for key in self._whole(asked) if not key.collection.endswith(saved.LAYER)}
        state = await self.read()
        for key in parts:
            collection = self.first.collections[key.collection]
            columns = self.sent[key.collection] & {*collection.written} - {*collection.required}
            await saved.damage(self.world, state[key], collection, columns)
        await self._becomes_right(asked, parts)

    async def lost(self, asked: Asked) -> None:
        """An object that is no longer there: it comes back with its parts, and no other row is written."""
        parts = self._whole(asked)
        await saved.remove(self.world, (await self.read())[asked.key])
        await self._becomes_right(asked, parts, expected=self._without_links_to(parts))
        await self.refresh()  # what links to it is linked again

    async def _becomes_right(self, asked: Asked, wrong: set[Key], expected: Any = None) -> None:
        broken = await self.read()
        await self.refresh(asked.ref)
        after = await self.read()
        assert saved.shown(after) == (expected or saved.shown(self.whole))
        assert saved.touched(broken, after) == wrong

    def _without_links_to(self, parts: set[Key]) -> dict[Key, Any]:
        """The rows of the whole, where those outside of `parts` do not link into them: they went with the row."""
        outside = saved.without(self.whole, parts)
        return {key: outside.get(key, row.shown) for key, row in self.whole.items()}

    async def unknown(self, asked: Asked) -> None:
        """An object in an empty database: it comes with its parts and what they link to, each as in full; no other."""
        empty = replace(self, world=await World.make(self.world.engine))
        await empty.refresh(asked.ref)
        needed = saved.with_links(self._whole(asked), self.whole)
        assert saved.shown(await empty.read()) == {key: self.whole[key].shown for key in needed}

    async def gone(self, asked: Asked) -> None:
        """An object that the provider does not know: it goes with its parts; others are left, without links to it.

        The row is made to be of another object, and that one is asked for. A full refresh puts all right again.
        """
        collection = self.first.collections[asked.ref.association]
        ref = {name: self._foreign(asked.key.collection, name, value) for name, value in asked.ref.manager_ref.items()}
        await saved.change(self.world, (await self.read())[asked.key], ref)
        before = await self.read()
        key = Key(
            asked.key.collection,
            tuple(ref.get(name, value) for name, value in zip(collection.manager_ref, asked.key.identity, strict=True)),
        )
        parts = saved.with_parts(key, before, self.first.collections)
        await self.refresh(ObjectRef(asked.ref.association, ref))
        after = await self.read()
        assert saved.shown(after) == saved.without(before, parts)
        linked = {each for each, row in before.items() if parts & {*row.links.values()}}
        assert saved.touched(before, after) == parts | linked
        await self.refresh()
        assert saved.shown(await self.read()) == saved.shown(self.whole)

    async def never_there(self, asked: Asked) -> None:
        """An object that neither the provider nor the database knows: nothing happens."""
        before = await self.read()
        ref = {name: self._foreign(asked.key.collection, name, value) for name, value in asked.ref.manager_ref.items()}
        run = await self.refresh(ObjectRef(asked.ref.association, ref))
        assert run.counts[asked.ref.association].delivered == 0
        assert saved.touched(before, await self.read()) == set()

    async def repeated(self) -> None:
        """Every object delivered twice, first with other values: all are counted, and the last one of each wins."""
        before = await self.read()
        run = await self.refresh(parser=Twice)
        for name, counts in run.counts.items():
            if self.first.collections[name].custom_save_block is None:
                assert (counts.delivered, counts.repeated) == (2 * counts.repeated, self.first.counts[name].delivered)
        assert written(run.counts) == 0
        assert saved.touched(before, await self.read()) == set()

    def _whole(self, asked: Asked) -> set[Key]:
        return saved.with_parts(asked.key, self.whole, self.first.collections)

    def _foreign(self, name: str, column: str, value: str) -> str:
        """A value like this one that no object of the collection has."""
        collection = self.first.collections[name]
        taken = {
            {**row.content, **dict(zip(collection.manager_ref, key.identity, strict=True))}[column]
            for key, row in self.whole.items()
            if key.collection == name
        }
        return next(found for last in LAST if (found := value[:-1] + last) not in taken)


class Noting(Parser):
    """Another parser's objects; which columns they have goes to `sent`."""

    def __init__(self, parser: Parser, sent: dict[str, set[str]]) -> None:
        self.parser = parser
        self.sent = sent

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """The objects in their order."""
        async for item in self.parser.parse():
            self.sent.setdefault(item.collection.name, set()).update(item.values)
            yield item


class Twice(Parser):
    """Another parser's objects, each with a wrong one of the same identity before it."""

    def __init__(self, parser: Parser) -> None:
        self.parser = parser

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """The objects in their order."""
        async for item in self.parser.parse():
            collection = item.collection
            if collection.custom_save_block is None:
                wrong = {
                    name: saved.wrong_value(collection, name, value)
                    for name, value in item.values.items()
                    if name not in (*collection.manager_ref, *collection.required)
                }
                yield InventoryObject(collection, {**item.values, **wrong})
            yield item
