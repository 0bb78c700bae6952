"""Spillway: a Kubernetes cluster overflows onto AWS Fargate.

Three programs (`webhook`, `extender`, `bridge`) and the parts they share; README.md follows one pod
through them, file by file. Imports point down only: see the contracts in pyproject.toml.
"""
