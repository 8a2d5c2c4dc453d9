#!/usr/bin/env bash
# Stops etcd, kube-apiserver or both on this node and waits until their processes are gone.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change

# The apiserver first: etcd ends sooner without its connections.
if wants apiserver; then stop_apiserver; fi
if wants etcd; then stop_etcd; fi

succeed now "$(what_is_there)" seconds "$SECONDS"
