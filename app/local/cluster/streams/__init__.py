"""The pods' streams: exec, attach and portforward, passed on from a client to the kubelet of the pod's node.

upgrading     the part of the HTTP server that hands a connection over when a client asks to upgrade it
upgrades      one such connection: who asks, for which pod, and which of the next three ways it goes
locations     where a node's kubelet serves the stream
pipes         raw connections, and relaying between two of them
kubelets      connecting to a kubelet and asking it to upgrade
passing       everything that the kubelet itself understands: bytes are relayed as they are
tunnelling    port-forward's SPDY inside a WebSocket, unwrapped
translating   exec and attach over WebSocket v5, spoken to the kubelet as SPDY
exit_statuses how the command ended, in the words that clients of v5 get
web_sockets   the server's side of a WebSocket on a raw connection

Never here: what a kubelet does with a stream.
"""
