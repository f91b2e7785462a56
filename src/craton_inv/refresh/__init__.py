"""Refresh: from what a provider delivers to rows, in bulk, in one transaction, writing only what differs.

collector ──pages──▶ parser ──inventory objects──▶ persister ──spools──▶ saver ──COPY, then sets in SQL──▶ tables
Collections are declared as frozen dataclasses; links between them are lazy references that SQL resolves layer by
layer. Knows no table of the product: tables come in with the declarations. Words and semantics are ManageIQ's
inventory refresh.
"""
