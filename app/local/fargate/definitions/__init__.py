"""Task definitions: what they hold, their revisions, and what RegisterTaskDefinition refuses on Fargate.

`revisions` has the operations and is the only part with a memory; the rest is pure. Never here: one launch
with its overrides (`ecs`), or what becomes of a container that runs (`running`).
"""
