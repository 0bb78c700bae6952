"""Embedded Fargate: ECS, and what its tasks need of AWS besides, over AWS's own JSON protocol, on loopback.

It knows nothing of Spillway's programs and judges by its own tables, so that a mistake of theirs
shows here as it would at AWS. Never here: imports of `app.bridge`, `app.aws` or `app.fargate`.
"""
