"""Bodies and answers of /v2, in AWX's words: one file per resource, `envelope` and `fields` for what all share."""
