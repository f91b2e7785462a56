"""The one door to the outside: HTTP requests to addresses that were checked, within limits of time and size.

url       what a URL may be: scheme, host in every spelling, no credentials in it
networks  which addresses are nobody's business: private, loopback, metadata, disguised ones; and what is allowed anyway
resolver  from a host to its checked addresses, asked once
backend   connects to a checked address and to no other
decoding  bodies unpacked step by step, stopped at their limit
door      requests, redirects, limits
ssh, ssh_url, known_hosts  programs on a server over ssh, through the same guard; host keys known beforehand
Proxies and everything else that the environment says about HTTP are ignored.
"""

from craton_inv.http_out.door import HttpOut, Limits
from craton_inv.http_out.url import check_url

__all__ = ["HttpOut", "Limits", "check_url"]
