"""Stands in for kube-apiserver where no binaries of Kubernetes are: serves /livez and /readyz by TLS, and takes a moment to end.

As the real one, it is ready only while its own etcd answers a linearizable read, and open watches hold its end back. It answers nothing else,
and asks nobody who they are."""

import http.client
import http.server
import json
import os
import signal
import ssl
import sys
import threading
import time
import urllib.parse

flags = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--") and "=" in word)
# --etcd-healthcheck-timeout
ETCD_SECONDS = 2


def etcd_is_healthy():
    url = urllib.parse.urlsplit(flags["etcd-servers"].split(",")[0])
    context = ssl.create_default_context(cafile=flags["etcd-cafile"])
    context.load_cert_chain(flags["etcd-certfile"], flags["etcd-keyfile"])
    connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=ETCD_SECONDS, context=context)
    try:
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read()).get("health") == "true"
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Health(http.server.BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if "watch=true" in query:
            return self.watch()
        # An API without objects.
        if path.startswith("/api") and "/namespaces/" not in path:
            return self.answer(200, '{"metadata": {}, "items": []}')
        if path not in ("/livez", "/readyz"):
            return self.answer(404, "the server could not find the requested resource\n")
        checks = {"ping": True} | ({"etcd": etcd_is_healthy()} if path == "/readyz" else {})
        lines = [f"[+]{name} ok\n" if good else f"[-]{name} failed: reason withheld\n" for name, good in checks.items()]
        if not all(checks.values()):
            return self.answer(500, "".join(lines) + f"{path[1:]} check failed\n")
        return self.answer(200, "".join(lines) + f"{path[1:]} check passed\n" if "verbose" in query else "ok")

    def watch(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        # Nothing ever changes: the client ends it.
        self.connection.settimeout(None)
        self.rfile.read(1)

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    # Whoever is being answered is waited for.
    daemon_threads = False

    def handle_error(self, *_):
        # Whoever only looks whether the port is open ends the connection before the handshake.
        pass


def context_of_now():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(flags["tls-cert-file"], flags["tls-private-key-file"])
    return context


def reload_serving_pair():
    """As dynamiccertificates does it: new connections get the new pair once both halves fit; until then they get the old one."""
    files = (flags["tls-cert-file"], flags["tls-private-key-file"])
    known = None
    while True:
        try:
            found = [(os.stat(file).st_ino, os.stat(file).st_mtime_ns) for file in files]
            if found != known:
                context_of_now()
                tls.load_cert_chain(*files)
                known = found
        except (OSError, ssl.SSLError):
            pass
        time.sleep(0.05)


tls = context_of_now()
threading.Thread(target=reload_serving_pair, daemon=True).start()
server = Server((flags["bind-address"], int(flags["secure-port"])), Health)
# Each connection has its handshake in its own thread: a silent one must not keep the others waiting.
server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
# Open requests are finished first.
signal.signal(signal.SIGTERM, lambda *_: threading.Timer(0.3, server.shutdown).start())
server.serve_forever(poll_interval=0.05)
server.server_close()
