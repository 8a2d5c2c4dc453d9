"""Stands in for kube-apiserver where no binaries of Kubernetes are: accepts connections on its port, and takes a moment to end."""

import signal
import socket
import sys
import threading
import time

flags = dict(word[2:].split("=", 1) for word in sys.argv[1:] if word.startswith("--") and "=" in word)
server = socket.create_server((flags["bind-address"], int(flags["secure-port"])))
ended = threading.Event()


def end(*_):
    # Open requests are finished first.
    threading.Timer(0.3, ended.set).start()


signal.signal(signal.SIGTERM, end)


def accept():
    while True:
        connection, _ = server.accept()
        connection.close()


threading.Thread(target=accept, daemon=True).start()
while not ended.is_set():
    time.sleep(0.05)
