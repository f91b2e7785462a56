"""The one place that knows SQL: repositories take and give models, each built with the caller's scope, none commits.

scope  who may see and change what      base  scoped get, page, add, save, delete      then one file per resource
"""
