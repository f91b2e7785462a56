"""`craton-inv demo`: the main job from end to end on real input, shown step by step, then served on."""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import delete

from craton_inv.cli import demo_ansible
from craton_inv.cli.demo_world import DATACENTER, HERE, World, make_world
from craton_inv.cli.up import Stack, stop_on_sigterm
from craton_inv.client import Client, ClientError
from craton_inv.crypto import secret_key
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.embedded.lock import DirectoryInUse
from craton_inv.errors import SetupError
from craton_inv.logs import configure_logs
from craton_inv.models import Token
from craton_inv.repositories.scope import Scope
from craton_inv.services.tokens import issue_token
from craton_inv.services.users import ensure_admin, first_administrator
from craton_inv.settings import Settings, examples_dir, get_settings

UPDATE_PATIENCE_S = 120.0
STEPS = 5
INTERRUPTED = 130
DESCRIPTION = "Made by craton-inv demo"
TOKEN_LIFE = timedelta(days=7)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the demonstration instead of serving on.")] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 8000,
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded servers keep their data.")] = None,
) -> None:
    """Show the service at work: refresh a real inventory, gather facts, search them, let Ansible read them."""
    settings = get_settings()
    if data_dir is not None:
        settings = settings.model_copy(update={"data_dir": data_dir.absolute()})
    configure_logs("WARNING", as_json=settings.log_json)
    console = Console()
    demonstration = Demonstration(console)
    try:
        with stop_on_sigterm():
            demonstration.run(settings, host, port, serve=not once)
    except KeyboardInterrupt:
        console.print("\ncraton-inv has stopped.")
        if not demonstration.shown:
            raise typer.Exit(INTERRUPTED) from None
    except (SetupError, ClientError) as error:
        print(f"The demonstration stopped: {error.message}", file=sys.stderr, flush=True)
        raise typer.Exit(3 if isinstance(error, DirectoryInUse) else 1) from None


async def make_token(settings: Settings) -> tuple[str, str]:
    """A token of the administrator, and a word on it: the one of the first start, or a new one for some days.

    Tokens of earlier demonstrations end here.
    """
    engine = make_engine(settings.database_url or "", settings, application="craton-inv-demo")
    try:
        async with unit_of_work(make_session_factory(engine)) as session:
            first = await ensure_admin(session, settings)
            if first is not None:
                return first, "the administrator's, shown this once"
            admin = await first_administrator(session)
            owner = Scope(user_id=admin.id, is_superuser=True)
            await session.execute(delete(Token).where(Token.user_id == admin.id, Token.description == DESCRIPTION))
            values = {"description": DESCRIPTION, "expires": datetime.now(UTC) + TOKEN_LIFE}
            _, text = await issue_token(session, secret_key(settings), owner, values)
            return text, f"for {TOKEN_LIFE.days} days"
    finally:
        await engine.dispose()


def _tell(step: Callable[[str], None], prefix: str, text: str) -> None:
    step(prefix + text)


class Demonstration:
    """One run of the demo on a console. `shown`: it came to its end; what follows is the service alone."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.token = self.token_words = ""
        self.shown = False

    def run(self, settings: Settings, host: str, port: int, *, serve: bool) -> None:
        """All steps; with `serve` the service then goes on until a signal."""
        self.console.print("[bold]craton-inv demo[/]: an inventory service, end to end, on this machine\n")
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=not self.console.is_terminal,
        ) as progress:
            bar = progress.add_task("Starting PostgreSQL, Valkey, API and worker", total=STEPS)

            def step(text: str) -> None:
                progress.update(bar, description=text)
                if not self.console.is_terminal:
                    self.console.print(f"  {text} ...")

            def done() -> None:
                progress.advance(bar)

            step("Starting PostgreSQL, Valkey, API and worker")
            with Stack(settings, host, port, quiet=True, prepare=self._prepare) as stack:
                done()
                with Client(stack.url, self.token) as api:
                    world, facts = self._work(api, step, done)
                    graph = self._see(stack.url, world, step, done)
                    progress.update(bar, description="Done", completed=STEPS)
                    progress.stop()
                    self._show(api, stack, world, facts, graph)
                    self.shown = True
                if serve:
                    self.console.print("The service goes on; Ctrl-C ends it.")
                    stack.run_forever()

    def _prepare(self, settings: Settings) -> None:
        self.token, self.token_words = asyncio.run(make_token(settings))

    def _work(
        self, api: Client, step: Callable[[str], None], done: Callable[[], None]
    ) -> tuple[World, dict[str, dict[str, Any]]]:
        step("Making a tenant with two regions")
        inventories = examples_dir() / "inventories"
        world = make_world(api, {DATACENTER: inventories / "shop", HERE: inventories / "local"})
        done()
        for name, source_id in world.sources.items():
            step(f"Refreshing region {name} with ansible-inventory, in the worker")
            self._refresh(api, source_id, partial(_tell, step, f"Refreshing region {name}: "))
        done()
        step("Letting Ansible gather facts of this machine and store them with the fact cache craton.inventory.facts")
        demo_ansible.gather_facts(api.url, self.token, world.inventories[HERE])
        facts = {row["name"]: row["ansible_facts"] for row in api.iterate_facts(world.inventories[HERE])}
        done()
        return world, facts

    def _refresh(self, api: Client, source_id: int, tell: Callable[[str], None]) -> None:
        update = api.launch_update(source_id)

        def on_event(event: dict[str, Any]) -> None:
            lines = str(event["stdout"]).strip().splitlines()
            if lines and self.console.is_terminal:
                tell(lines[-1][:60])

        ended = api.wait_update(update["id"], on_event, timeout=UPDATE_PATIENCE_S, poll=0.2)
        if ended["status"] != "successful":
            raise SetupError(f"Inventory update {update['id']} ended {ended['status']}: {ended['job_explanation']}")

    def _see(self, url: str, world: World, step: Callable[[str], None], done: Callable[[], None]) -> str:
        step("Letting Ansible read the inventory over HTTP")
        graph = demo_ansible.graph(url, self.token, world.inventories[DATACENTER])
        done()
        return graph

    def _show(self, api: Client, stack: Stack, world: World, facts: dict[str, dict[str, Any]], graph: str) -> None:
        console = self.console
        console.print("\n[bold]Three searches[/]  (GET /v2/hosts/?host_filter=...)")
        vcpus = next((f["ansible_processor_vcpus"] for f in facts.values() if "ansible_processor_vcpus" in f), 1)
        for text in (
            f"ansible_facts__ansible_processor_vcpus={vcpus}",
            "all_groups__name=web and not name__startswith=web2",
            "variables__state=maintenance or group__search=monitoring",
        ):
            hosts = [host["name"] for host in api.iterate("/v2/hosts/", host_filter=text, order_by="name")]
            console.print(f"  [cyan]{text}[/]")
            found = f"{len(hosts)} host{'s' if len(hosts) != 1 else ''}: {', '.join(hosts)}" if hosts else "no host"
            console.print(f"    {found}", soft_wrap=True)
        console.print(f"\n[bold]What Ansible sees in region {DATACENTER}[/]  (ansible-inventory --graph)")
        console.print(graph.rstrip(), markup=False, highlight=False, soft_wrap=True)
        script = demo_ansible.inventory_script()
        variables = f"CRATON_INV_URL={stack.url} CRATON_INV_TOKEN={self.token} CRATON_INV_INVENTORY="
        console.print("\n[bold]Go on from here[/]")
        for name, value in (
            ("URL", stack.url),
            ("Token", f"{self.token}  ({self.token_words})"),
            ("Documentation", f"{stack.url}/v2/docs and {stack.url}/v1/docs"),
            ("Search", f"curl -H 'Authorization: Bearer {self.token}' '{stack.url}/v2/hosts/?host_filter=search=web'"),
            ("Ansible", f"{variables}{world.inventories[DATACENTER]} ansible-inventory -i {script} --list"),
            ("Without the demo", "./craton up"),
        ):
            console.print(f"  [bold]{name:<16}[/] {value}", soft_wrap=True, highlight=False)
