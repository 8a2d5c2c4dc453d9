#!/usr/bin/env bash
# Takes this node's etcd out of service before its member is replaced: stops it and sets its data aside.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change
write_file "$record/purpose" replace

stop_etcd
find_data_state
found=$data_state
if [ "$found" = original ] && [ -e "$live" ]; then rename "$live" "$old"; fi

succeed found "$(text "$found")" now "$(what_is_there)" oldBytes "$(if [ -e "$old" ]; then bytes_of "$old"; else printf 0; fi)" seconds "$SECONDS"
