"""The issuer: a CA of the installation, the serving certificate of webhook and extender, and who trusts it.

```
certificates  reading certificates and keys, whoever wrote them
holdings      what the two Secrets and the webhook configuration hold, judged by that
decision      what is to be done about it: `commands`, each one write to one object
material      what a Secret is to hold then, with new keys and certificates
apply         the one place that writes
issuer        looks, decides, writes; every ten seconds, and when the webhook configuration has changed
```

Never here: how the cluster is asked (`app.ports.issuing`), or serving with what was issued (`app.serving`).
"""
