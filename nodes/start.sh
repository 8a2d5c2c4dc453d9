#!/usr/bin/env bash
# Starts etcd, kube-apiserver or both again. Waits until etcd listens, since one member alone has no quorum, and until kube-apiserver is ready.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change

find_data_state
if wants etcd && [ "$data_state" = half-swapped ]; then
  fail HalfSwapped "$live is not there: a restore was stopped between its two renames" 'run restore-data or roll-back first'
fi
if wants etcd; then start_etcd; fi
if wants apiserver; then start_apiserver; fi

succeed now "$(what_is_there)" seconds "$SECONDS"
