"""Craton's dialect: `{"<plural>": [...], "links": [...]}`, limit and marker, unknown fields refused, If-Match."""
