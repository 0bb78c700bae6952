"""The virtual Node: its object, its Lease, and the gate's Lease that it closes by.

Never here: pods.
"""
