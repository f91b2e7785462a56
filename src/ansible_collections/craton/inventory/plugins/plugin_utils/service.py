"""Requests to craton-inv, with nothing but what Ansible brings along."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any

from ansible.module_utils.urls import open_url

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Failure(Exception):
    """A request that brought nothing. `lasting`: the same would happen to every other one of this run."""

    def __init__(self, text: str, *, lasting: bool = False, paused: bool = False) -> None:
        super().__init__(text)
        self.lasting = lasting
        self.paused = paused


class Service:
    """One inventory of the service. `option` gives a plugin's option by its name."""

    def __init__(self, option: Callable[[str], Any]) -> None:
        self._option = option
        self._inventory = ""

    def total_hosts(self) -> int | None:
        """How many hosts the inventory has; None when the service does not say. Raises Failure."""
        total: int | None = json.loads(self.ask("GET", f"/v2/inventories/{self._inventory_id()}/")).get("total_hosts")
        return total

    def facts(self, method: str, body: str | None = None, **query: Any) -> bytes:
        """A request about the facts of the inventory's hosts. Raises Failure."""
        return self.ask(method, f"/v2/inventories/{self._inventory_id()}/ansible_facts/", body, **query)

    def _token(self) -> str:
        token = str(self._option("token") or "").strip()
        file = self._option("token_file")
        if not token and file:
            try:
                token = Path(file).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Failure(f"the token cannot be read from {file}: {error}.", lasting=True) from error
        if not token:
            raise Failure("set CRATON_INV_TOKEN, or CRATON_INV_TOKEN_FILE to a file that holds it.", lasting=True)
        if not (token.isascii() and token.isprintable()):
            raise Failure("the token has characters that no token has.", lasting=True)
        return token

    def ask(self, method: str, path: str, body: str | None = None, **query: Any) -> bytes:
        """One request and the body of its good answer. Raises Failure."""
        root = str(self._option("_uri")).rstrip("/")
        address = urllib.parse.urlsplit(root)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise Failure(f"{root!r} is no address of a service: it starts with http:// or https://.", lasting=True)
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json, application/x-ndjson"}
        if body is not None:
            headers["Content-Type"] = "application/x-ndjson"
        try:
            with open_url(
                f"{root}{path}?{urllib.parse.urlencode(query, doseq=True)}",
                method=method,
                data=None if body is None else body.encode(),
                headers=headers,
                timeout=float(self._option("request_timeout")),
                validate_certs=self._option("validate_certs"),
                ca_path=self._option("ca_path"),
                # The service never redirects: who does is something else, and must not be sent the token.
                follow_redirects="none",
                use_netrc=False,
                use_proxy=address.hostname not in LOOPBACK,
            ) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace")
            words = f"{root} answered {error.code} to {method} {path}: {said}"
            lasting = error.code in (401, 403, 404) or error.code < 400
            raise Failure(words, lasting=lasting, paused=error.code >= 500) from error
        except (OSError, HTTPException) as error:
            raise Failure(f"no answer from {root}: {error}.", paused=True) from error

    def _inventory_id(self) -> str:
        """The id of the inventory, looked up once when it is given by its name."""
        if self._inventory:
            return self._inventory
        which = str(self._option("inventory")).strip()
        if not which:
            raise Failure("set CRATON_INV_INVENTORY to the id or the name of an inventory.", lasting=True)
        if not (which.isascii() and which.isdigit()):
            found = json.loads(self.ask("GET", "/v2/inventories/", name=which))["results"]
            if len(found) != 1:
                words = f"{len(found)} inventories that the token may see are named {which!r}; set the id."
                raise Failure(words, lasting=True)
            which = str(found[0]["id"])
        self._inventory = which
        return which
