#!/usr/bin/env bash
# Puts this node back to what it was before the restore, whatever point that had reached, and starts it. What was restored is kept aside.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change

if [ "$(cat "$record/purpose" 2>/dev/null || true)" = replace ]; then
  fail NotARestore "$LIFEBOAT_RESTORE_ID replaced this member: the cluster has forgotten what it was before" 'run join-member again, or leave and remove the member'
fi

find_data_state
found=$data_state
if [ "$found" != original ] && [ ! -e "$old" ]; then
  fail OldDataGone "$old is not there any more: the data from before restore $LIFEBOAT_RESTORE_ID cannot be put back" 'restore the snapshot that was taken before the restore'
fi
# From here on it goes back and never on, whatever cuts it off.
write_file "$record/rolled-back" "$(date -u +%FT%TZ)"
if [ "$found" != original ]; then
  stop_apiserver
  stop_etcd
  swap_out
fi
# Made and never used: it can be made again from the snapshot.
for unused in "$new" "$restoring" "$restoring.member"; do if [ -e "$unused" ]; then remove_tree "$unused"; fi; done
start_etcd
start_apiserver

succeed found "$(text "$found")" now "$(what_is_there)" failedBytes "$(if [ -e "$failed" ]; then bytes_of "$failed"; else printf 0; fi)" seconds "$SECONDS"
