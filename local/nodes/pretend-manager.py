"""Stands in for kube-controller-manager and kube-scheduler where no binaries of Kubernetes are: reads its kubeconfig once, as they do.

As the real ones, it ends at once when it cannot be somebody by it (key and certificate differ, the certificate has expired), and when nobody
answers where the kubeconfig leads or that is not whom it trusts; and when what it signs by is not one certificate with its own key. It asks nobody
anything."""

import base64
import re
import signal
import socket
import ssl
import sys
import tempfile
import time
import urllib.parse

flags = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--") and "=" in word)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
WAIT_SECONDS = 10

with open(flags["kubeconfig"], encoding="utf8") as file:
    text = file.read()


def data_of(field):
    return base64.b64decode(re.search(rf"{field}-data: *(\S+)", text)[1])


context = ssl.create_default_context(cadata=data_of("certificate-authority").decode())
with tempfile.NamedTemporaryFile() as file:
    file.write(data_of("client-certificate") + data_of("client-key"))
    file.flush()
    context.load_cert_chain(file.name)
    # pylint: disable-next=protected-access # the only reader of dates in the standard library
    not_after = ssl.cert_time_to_seconds(ssl._ssl._test_decode_cert(file.name)["notAfter"])
if not_after < time.time():
    sys.exit("its client certificate has expired")

if flags.get("cluster-signing-cert-file"):
    # pkg/controller/certificates/signer/ca_provider.go: `expected 1 certificate, found 2`
    with open(flags["cluster-signing-cert-file"], encoding="utf8") as file:
        found = file.read().count("-----BEGIN CERTIFICATE-----")
    if found != 1:
        sys.exit(f"expected 1 certificate, found {found}")
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(flags["cluster-signing-cert-file"], flags["cluster-signing-key-file"])

server = urllib.parse.urlsplit(re.search(r"server: *(\S+)", text)[1])
deadline = time.time() + WAIT_SECONDS
while True:
    try:
        with socket.create_connection((server.hostname, server.port), timeout=3) as connection:
            context.wrap_socket(connection, server_hostname=server.hostname).close()
        break
    except ssl.SSLError as error:
        sys.exit(f"{server.netloc} is not whom it trusts: {error}")
    except OSError:
        # It waits for the API server of its node (WaitForAPIServer).
        if time.time() > deadline:
            raise
        time.sleep(0.2)
while True:
    signal.pause()
