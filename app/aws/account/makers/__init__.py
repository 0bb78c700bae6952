"""One module per kind of resource: how it is found, made, changed and removed.

`Maker` is what they have in common. Never here: what a resource should be like.
"""
