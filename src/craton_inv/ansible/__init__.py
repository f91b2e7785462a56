"""What Ansible reads and writes: variables as text, the inventory script, files and archives. Knows no table.

variables_text  text of YAML or JSON -> one JSON object, behind one guard
"""
