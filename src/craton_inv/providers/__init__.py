"""Providers: one folder per kind of source, found by folder or by the entry-point group `craton_inv.providers`.

base  what a provider is      registry  finding them      inventory_persister  the menu of standard collections
ansible_json  the document of `ansible-inventory --list`, shared by every kind that goes through Ansible
A provider never sees HTTP, jobs or services: it gets a SourceDefinition and gives a Refresher.
"""
