"""The embedded cluster and the embedded Fargate: the far side of Spillway, for laptops and for tests.

Real product, not test code: `spillway local` runs them, over the same protocols as the originals.
Never here: anything that the three programs need. They never import this package; they find it by its URL.
"""
