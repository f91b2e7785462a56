"""Running ansible-inventory for every kind that reads through Ansible; no kind of its own.

collector  one run, from what it reads to its document     command   how the program is found and called
sandbox    limits around it                                confine   the small program that applies them
environment  its variables, made from nothing              document  what it wrote, or why it failed
files      what of a folder Ansible may read               yaml_guard  aliases that explode
"""

from craton_inv.providers.base import Provider

PROVIDERS: tuple[Provider, ...] = ()
