"""The composition root: alone names shells and adapters together, one module per program.

Never here: a decision, a wire shape, or anything printed. Nothing is built before a `run` is called.
"""
