"""Pydantic models of bodies and answers. They know no SQL; v1 and v2 are strangers that share names and rules."""
