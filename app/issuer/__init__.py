"""The issuer: a CA of the installation, the serving certificate of webhook and extender, and who trusts it.

```
holdings      what the two Secrets and the webhook configuration hold, read and judged
decision      what is to be done about it
material      new keys and certificates for that
apply         the one place that writes
issuer        looks, decides, writes; every minute, and when something changed
```

Never here: how the cluster is asked (`app.ports.issuing`), or serving with what was issued (`app.serving`).
"""
