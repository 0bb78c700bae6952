"""What is right and what is wrong with an installation, and the mend.

Pure: what one look showed (`seen`) goes in, findings come out; `diagnosis` has all checks in their order,
one module per subject. How gate and pods stand is judged by `app.extender.insight`, whose words come in as
reasons; what the programs must be allowed is data (`rights`).

Never here: a read of the cluster, a word on a terminal, or a write to anything.
"""
