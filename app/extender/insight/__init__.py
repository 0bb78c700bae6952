"""What people ask of the gate: why one pod does, did or does not burst (`explanation`), and how all stands.

Pure: what one look at the cluster showed (`seen`) goes in, values to print come out. The same functions are
asked as the leader asks (`decision`, `homing`), with the policy that it published (`policy`). What only the
leader remembers (unused grants, how long room has lasted) is not known here; its Events tell of it.

Never here: a read of the cluster, a word on a terminal, or a rule of its own about who bursts.
"""
