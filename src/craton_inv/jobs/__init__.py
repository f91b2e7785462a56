"""What workers run: one module per kind of job, and the runner that claims, renews, retries and finishes.

context   what a job's function gets     registry  the kinds by name     runner  one attempt after the other
Imported by the worker alone; the API names jobs through `queue`.
"""
