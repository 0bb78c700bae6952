"""The way home: when overflow pods go back to real nodes, which of them, and when to ask for nodes instead.

Pure: facts, memory, time and policy go in; evictions and placeholders come out. Never here: who bursts
(`decision`), or the calls that carry a plan out (the shells).
"""
