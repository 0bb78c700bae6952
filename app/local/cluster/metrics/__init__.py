"""`metrics.k8s.io` for `kubectl top`: what metrics-server would serve, from the nodes' kubelets.

exposition  the text of /metrics/resource, read
points      two measurements, and the usage between them
scraper     asks the kubelets every few seconds
answers     usage as NodeMetrics and PodMetrics

Never here: what a kubelet measures.
"""
