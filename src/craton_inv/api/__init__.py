"""HTTP, in two dialects: Craton's under /v1, AWX's under /v2 and /api/v2. Thin: parse, call, render.

context ─ deps ─ auth          what a request gets: session, scope          errors ─ v1/errors, v2/errors   refusals
middleware, body, methods      pure ASGI around each dialect                crud ─ query ─ dialect          plain resources
health, metrics, docs          for operators and people                     v1/ | v2/                       the routes; strangers
"""
