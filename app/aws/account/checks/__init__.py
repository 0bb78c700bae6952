"""Whether pods can overflow into the account as it is: facts are gathered, then judged one by one.

`examiner` gathers and alone asks AWS; everything else is pure. Never here: a repair.
"""
