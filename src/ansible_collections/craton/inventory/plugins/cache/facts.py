"""A fact cache of Ansible that keeps facts in craton-inv, where every filter finds them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.cache import BaseCacheModule
from ansible.utils.display import Display

from ansible_collections.craton.inventory.plugins.plugin_utils.json_texts import digest, json_texts, quoted
from ansible_collections.craton.inventory.plugins.plugin_utils.service import LOOPBACK, Failure, Service

DOCUMENTATION = """
name: facts
short_description: Keep facts in the inventory service craton-inv
version_added: "0.1.0"
author: The craton-inv authors
description:
  - Facts that a run gathers, or that C(set_fact) makes with C(cacheable), go to the service, where searches find them.
  - They are merged into the facts that a host has there. What a run does not gather stays, and facts that are older
    than the timeout are taken as absent without being deleted.
  - C(meta=clear_facts) and C(--flush-cache) delete the facts of the hosts they are about.
  - A host that the inventory does not have, such as the implicit C(localhost), keeps its facts for the run alone.
  - The token is sent to the service alone; redirects are not followed.
options:
  _uri:
    description: Address of the service, without C(/v2).
    type: str
    default: http://127.0.0.1:8000
    env:
      - name: CRATON_INV_URL
      - name: ANSIBLE_CACHE_PLUGIN_CONNECTION
    ini:
      - section: defaults
        key: fact_caching_connection
  _timeout:
    description: Seconds after which facts count as absent. 0 for never.
    type: float
    default: 86400
    env:
      - name: ANSIBLE_CACHE_PLUGIN_TIMEOUT
    ini:
      - section: defaults
        key: fact_caching_timeout
  inventory:
    description: Id or name of the inventory whose hosts they are. A smart inventory will do.
    type: str
    default: ''
    env:
      - name: CRATON_INV_INVENTORY
    ini:
      - section: craton_inventory
        key: inventory
  token:
    description: Token of somebody who may write the inventory's hosts.
    type: str
    default: ''
    env:
      - name: CRATON_INV_TOKEN
  token_file:
    description: File that holds the token. Read when no token is given.
    type: path
    env:
      - name: CRATON_INV_TOKEN_FILE
    ini:
      - section: craton_inventory
        key: token_file
  prefetch:
    description:
      - The facts of an inventory of up to so many hosts are read in one request when the first are needed. Of larger
        ones they are read host by host.
    type: int
    default: 1000
    env:
      - name: CRATON_INV_FACTS_PREFETCH
    ini:
      - section: craton_inventory
        key: facts_prefetch
  on_error:
    description:
      - What becomes of a run when the service cannot be reached or refuses. With V(warn) it goes on with the facts that
        it has gathered itself, with V(fail) it ends.
    type: str
    choices: [warn, fail]
    default: warn
    env:
      - name: CRATON_INV_FACTS_ON_ERROR
    ini:
      - section: craton_inventory
        key: facts_on_error
  request_timeout:
    description: Seconds that one request may take.
    type: float
    default: 30
    env:
      - name: CRATON_INV_REQUEST_TIMEOUT
    ini:
      - section: craton_inventory
        key: request_timeout
  validate_certs:
    description: Verify the certificate of the service.
    type: bool
    default: true
    env:
      - name: CRATON_INV_VALIDATE_CERTS
    ini:
      - section: craton_inventory
        key: validate_certs
  ca_path:
    description: File with certificates of authorities to trust, beside those of the system.
    type: path
    env:
      - name: CRATON_INV_CA_PATH
    ini:
      - section: craton_inventory
        key: ca_path
"""

display = Display()

# After a failure the service is left alone for so long: a run must not wait for a timeout at every host.
PAUSE_S = 30.0
# Hosts that one request names: addresses have a length.
NAMED_AT_ONCE = 100


class CacheModule(BaseCacheModule):  # type: ignore[misc]
    """Facts by host name. What a run has read or written it keeps, so that facts do not expire under its hands."""

    # Ansible would wrap facts in text of its own, in which no search finds anything, and restore from it marks that
    # say which texts are trusted templates. Facts are plain values here, and what comes back is never a template.
    _persistent = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._facts: dict[str, dict[str, Any]] = {}
        # What the service has: a digest per top-level key, by host.
        self._sent: dict[str, dict[str, bytes]] = {}
        self._known: set[str] = set()  # hosts that the service was asked about
        self._touched: set[str] = set()  # hosts whose facts this run used or made
        self._strangers: set[str] = set()  # hosts that the inventory does not have
        self._whole: bool | None = None  # whether all facts were read at once; None before the first request
        self._service = Service(self.get_option)
        self._silent_until = 0.0
        self._told: set[str] = set()

    def get(self, key: str) -> dict[str, Any]:
        """The facts of a host. Raises KeyError when there are none, or when they are too old."""
        if key not in self._facts:
            self._read(key)
        facts = self._facts[key]
        self._touched.add(key)
        return facts

    def contains(self, key: Any) -> bool:
        """Whether `get` would give some."""
        if key not in self._facts:
            self._read(key)
        return key in self._facts

    def keys(self) -> Sequence[str]:
        """The hosts that have facts."""
        if self._whole is None:
            self._try(self._first)
        if self._whole is False:
            stored = self._try(lambda: [row["name"] for row in self._rows(keys="")]) or []
            return sorted({*self._facts, *stored})
        return sorted(self._facts)

    def set(self, key: str, value: dict[str, Any]) -> None:
        """Keep the facts of a host, and send those that the service does not have yet: it merges them."""
        self._facts[key] = value
        self._touched.add(key)
        if key in self._strangers:
            return
        sent = self._sent.get(key, {})
        texts = {name: text for name, text in self._texts(key, value) if sent.get(name) != digest(text)}
        if not texts:
            return
        members = ",".join(f"{quoted(name)}:{text}" for name, text in texts.items())
        line = f'{{"name":{quoted(key)},"ansible_facts":{{{members}}}}}\n'
        answer = self._try(lambda: self._service.facts("PATCH", line, missing="skip"), key)
        if answer is None:
            return
        if json.loads(answer).get("missing"):
            self._strangers.add(key)
            self._stranger(key)
            return
        self._sent[key] = {**sent, **{name: digest(text) for name, text in texts.items()}}

    def delete(self, key: str) -> None:
        """Forget the facts of a host, here and in the service."""
        self._forget([key])

    def flush(self) -> None:
        """Forget the facts of the hosts that this run has used or made, here and in the service; no others."""
        self._forget(sorted(self._touched))

    def _forget(self, hosts: Sequence[str]) -> None:
        for host in hosts:
            self._facts.pop(host, None)
            self._sent.pop(host, None)
            self._known.add(host)
            self._touched.discard(host)
        wanted = [host for host in hosts if host not in self._strangers]
        for begin in range(0, len(wanted), NAMED_AT_ONCE):
            named = wanted[begin : begin + NAMED_AT_ONCE]
            self._try(partial(self._service.facts, "DELETE", host=named, missing="skip"))

    def _read(self, host: str) -> None:
        """Have the facts of a host in memory if the service has fresh ones."""
        if self._whole is None:
            self._try(self._first)
        asked = self._whole is not False or host in self._known or host in self._strangers
        if not asked and self._try(lambda: self._take(host=host)):
            self._known.add(host)

    def _first(self) -> bool:
        """Look how large the inventory is, and read all facts at once if that is wise."""
        total = self._service.total_hosts()
        whole = total is not None and total <= self.get_option("prefetch")
        if whole:
            self._take()
        self._whole = whole
        return whole

    def _take(self, **query: str) -> bool:
        for row in self._rows(**query):
            host, facts = row["name"], row["ansible_facts"]
            if host not in self._facts and row["ansible_facts_modified"] is not None and facts:
                self._facts[host] = facts
                self._sent[host] = {name: digest(text) for name, text in self._texts(host, facts)}
        return True

    def _rows(self, **query: str) -> Iterator[dict[str, Any]]:
        timeout = float(self.get_option("_timeout"))
        fresh = {"newer_than": f"{timeout:f}"} if timeout > 0 else {}
        body = self._service.facts("GET", **query, **fresh)
        return map(json.loads, filter(None, body.split(b"\n")))

    def _texts(self, host: str, facts: dict[str, Any]) -> Iterator[tuple[str, str]]:
        return json_texts(facts, lambda name, why: self._tell(f"the fact {name} of {host} is not stored: {why}."))

    def _try(self, request: Callable[[], Any], host: str = "") -> Any:
        """What `request` gives; None when it fails and the run goes on."""
        if time.monotonic() < self._silent_until:
            return None
        try:
            return request()
        except Failure as failure:
            words = str(failure)
            if failure.lasting:
                self._silent_until = float("inf")
            elif failure.paused:
                self._silent_until = time.monotonic() + PAUSE_S
            elif host:
                words = f"the facts of {host} are not stored: {words}"
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            words = f"the answer is not one of the service ({error!r}). Is its address right?"
            self._silent_until = float("inf")
        if self.get_option("on_error") == "fail":
            raise AnsibleError(f"craton.inventory.facts: {words}")
        self._tell(f"{words} The run goes on with the facts that it gathers itself.")
        return None

    def _stranger(self, host: str) -> None:
        """Tell the first host that the inventory does not have as a warning; any others would only repeat it."""
        words = f"the inventory has no host {host!r}: its facts are kept for this run alone."
        if len(self._strangers) == 1 and host not in LOOPBACK:
            self._tell(words)
        else:
            display.vv(f"craton.inventory.facts: {words}")

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            display.warning(f"craton.inventory.facts: {words}")
