#!/usr/bin/env bash
# Stops etcd, kube-apiserver or both on this node and waits until their processes are gone.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

take_lock
require_member
name_data
require_own
record_dir

# The apiserver first: etcd ends sooner without its connections.
if wants apiserver; then stop_apiserver; fi
if wants etcd; then stop_etcd; fi

succeed now "$(what_is_there)" seconds "$SECONDS"
