"""What the product does, one file per resource or verb; knows repositories and providers, never HTTP."""
