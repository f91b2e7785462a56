"""HTTP, in two dialects: Craton's under /v1, AWX's under /v2 and /api/v2. Thin: parse, call, render.

build                     one application per dialect      context ─ deps ─ auth  what a request gets: session, scope
middleware, body, methods pure ASGI around each dialect    crud ─ dialect         plain resources
errors ─ v{1,2}/errors    refusals                         query | markers        pages of /v2 and of /v1
health, metrics, docs     for operators and people         v1/ | v2/              the routes; strangers to each other
"""
