"""craton-inv: an inventory service for people, clients and Ansible (/v1 Craton, /v2 AWX, refresh as in ManageIQ)."""

__version__ = "0.1.0"
