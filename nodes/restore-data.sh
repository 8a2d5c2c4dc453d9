#!/usr/bin/env bash
# Puts data made from the staged snapshot in the place of the old, which stays beside it. What prepare-data has not made is made here.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change
require_etcd_gone

find_data_state
found=$data_state
case $found in
  restored) succeed found '"restored"' now "$(what_is_there)" seconds "$SECONDS" ;;
  unclear)
    fail DataUnclear "$old is kept, but what lies in $live was not made by restore $LIFEBOAT_RESTORE_ID: somebody started etcd in between" \
      'run roll-back: it keeps both and puts the old data back'
    ;;
esac

if [ ! -e "$live" ] && [ "$found" = original ]; then
  for other in "$live".lifeboat-*-old; do
    fail OtherRestore "$live is not there and $other is: another restore was stopped between its two renames" "finish it first: run roll-back with restore id $(restore_of "$other")"
  done
  # A node without data gets an empty directory, so that what follows is the same everywhere.
  make_dir "$live"
  give_to_etcd "$live"
fi

make_new_data
# Again: making the data took its time.
require_etcd_gone
swap_in

succeed found "$(text "$found")" now "$(what_is_there)" bytes "$(bytes_of "$live")" oldBytes "$(bytes_of "$old")" seconds "$SECONDS"
