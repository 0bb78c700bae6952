"""What AWS's services have in common: requests, answers, errors, pages, and the limits on requests.

Never here: anything that one service alone does or says.
"""
