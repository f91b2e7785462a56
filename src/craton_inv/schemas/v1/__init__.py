"""Bodies and answers of /v1: unknown fields are refused, ids are integers, `variables` is an object."""
