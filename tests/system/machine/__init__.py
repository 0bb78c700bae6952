"""A node on this machine: a small kubelet whose containers are processes, and Services that lead to its pods.

It belongs to tests of an installation: they apply what helm makes of the chart to a real control plane, whose
controllers make the pods; here the pods run, with the arguments, variables, files and tokens they ask for.
What their programs do is no business of this package.
"""
