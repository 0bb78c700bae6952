"""What really happened, counted from the journal, and whether pods say so. Pure.

Never here: anything but the journal; neither the bridge nor the parts that wrote the journal may vouch for
themselves.
"""
