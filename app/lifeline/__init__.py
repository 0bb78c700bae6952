"""Two processes that make one program: neither outlives the other, and one may ask the other.

Never here: what they do, or what is asked.
"""
