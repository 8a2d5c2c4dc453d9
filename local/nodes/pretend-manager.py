"""Stands in for kube-controller-manager and kube-scheduler where no binaries of Kubernetes are: reads its kubeconfig once, as they do.

As the real ones, it ends at once when it cannot be somebody by it: when key and certificate differ, or its certificate has expired. It asks
nobody anything."""

import base64
import os
import re
import signal
import ssl
import sys
import tempfile
import time

flags = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--") and "=" in word)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

with open(flags["kubeconfig"], encoding="utf8") as file:
    text = file.read()
pair = b"".join(base64.b64decode(re.search(rf"client-{half}-data: *(\S+)", text)[1]) for half in ("certificate", "key"))
with tempfile.NamedTemporaryFile() as file:
    file.write(pair)
    file.flush()
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file.name)
    # pylint: disable-next=protected-access # the only reader of dates in the standard library
    not_after = ssl.cert_time_to_seconds(ssl._ssl._test_decode_cert(file.name)["notAfter"])
if not_after < time.time():
    sys.exit("its client certificate has expired")
# The folder of the pod's log says to a test by which kubeconfig it runs.
print(f"process {os.getpid()} runs until {int(not_after)}", flush=True)
while True:
    signal.pause()
