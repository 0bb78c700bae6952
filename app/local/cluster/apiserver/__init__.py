"""The embedded API server: a store, a read and a write path over it, and the HTTP face of both.

An order of reading:

objects               the form of everything below
resources             which resources there are, and what each can do
schema                the fields of their types
errors                refusals as metav1.Status
store                 the objects, one version counter, and the history that watches read
api                   the in-process interface: the controllers and the scheduler call nothing else
write_path            create, update and patch, in the real server's order; the next eleven are its steps
request_bodies        bodies against the request and against what they would replace
stored_data           what Secrets and ConfigMaps hold: stringData, base64, keys, immutability
decoding              JSON to the type's canonical form
creation              name, namespace, uid
defaulting            what the server fills in
built_in_admission    service accounts, priorities, tolerations
webhook_admission     mutating webhooks
update_rules          what an update may change
validation            what makes an object invalid
merge_patches         JSON merge and strategic merge patches
server_side_apply     managed fields and conflicts
field_sets            the sets of paths that managed fields are written as
signing_requests      requests for certificates: whose, and what may change in them
deletion              grace periods, finalizers, the end of namespaces
evictions             deletions that budgets may object to
access                who is let in, and what is denied
server                HTTP: authentication, discovery and health
rest                  HTTP requests to calls of the paths above
http_requests         what a request asks for
http_responses        the form that it is answered in
watches               watches over HTTP
selectors             label and field selectors
paging                lists in pages
tables                what `kubectl get` prints
reference_tables      those of Secrets, claims, volumes and policies
table_cells           the texts in those tables
discovery             groups, resources and the little OpenAPI that kubectl wants
event_groups          the two groups of Events
service_tokens        tokens of service accounts, and who they stand for
subresources          scales and token reviews
log_proxy             logs, passed on to kubelets

Never here: what a controller, a scheduler or a kubelet decides.
"""
