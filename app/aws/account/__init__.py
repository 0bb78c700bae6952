"""What an AWS account has to hold before pods can overflow into it: made, examined and taken away.

`spillway aws init`, `check` and `destroy`. `wanted` says what there should be, `makers` look and write,
`plan` compares, `checks` judge. Never here: anything that a running bridge does.
"""
