#!/usr/bin/env bash
# Makes data of the staged snapshot beside the data directory, while etcd serves: nobody waits for it later, when everything is stopped.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change
find_data_state
if [ "$data_state" = restored ]; then succeed now "$(what_is_there)" bytes "$(bytes_of "$live")" seconds "$SECONDS"; fi
make_new_data

succeed now "$(what_is_there)" bytes "$(bytes_of "$new")" seconds "$SECONDS"
