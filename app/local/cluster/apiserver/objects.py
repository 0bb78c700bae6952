"""Kubernetes objects as JSON: the form in which the store holds them and every module here passes them on."""

from typing import Any

Object = dict[str, Any]
"""One object (or a part of one); what the store holds is shared, and never changed in place."""
