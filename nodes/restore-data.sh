#!/usr/bin/env bash
# Makes a new data directory from the staged snapshot and puts it in the place of the old one, which stays beside it.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change
require_etcdutl

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
fi

if [ ! -e "$new" ]; then
  if [ "$(cat "$record/snapshot.sha256" 2>/dev/null)" != "$LIFEBOAT_SNAPSHOT_SHA256" ] || [ ! -e "$record/snapshot.db" ]; then
    fail NotStaged "no snapshot with SHA-256 $LIFEBOAT_SNAPSHOT_SHA256 was staged for restore $LIFEBOAT_RESTORE_ID" 'run stage first'
  fi
  case ",$LIFEBOAT_INITIAL_CLUSTER," in
    *",$etcd_name=$(first_of "$etcd_peer_urls"),"*) ;;
    *)
      fail NotInInitialCluster "$etcd_name=$etcd_peer_urls is not part of $LIFEBOAT_INITIAL_CLUSTER" \
        'give initialCluster as the members name themselves: facts shows name and peerUrls of each'
      ;;
  esac
  bump=()
  if [ "$LIFEBOAT_BUMP_REVISION" != 0 ]; then bump=(--bump-revision "$LIFEBOAT_BUMP_REVISION" --mark-compacted); fi
  for half in "$restoring" "$restoring.member"; do remove_tree "$half"; done
  # etcdutl compares the file with the SHA-256 at its end before it writes anything.
  if ! problem=$("$etcdutl" snapshot restore "$record/snapshot.db" --data-dir "$restoring" --name "$etcd_name" --initial-advertise-peer-urls "$etcd_peer_urls" \
    --initial-cluster "$LIFEBOAT_INITIAL_CLUSTER" --initial-cluster-token "$LIFEBOAT_CLUSTER_TOKEN" ${bump[@]+"${bump[@]}"} 2>&1); then
    say "$problem"
    remove_tree "$restoring"
    fail RestoreFailed "etcdutl snapshot restore failed: $(tail -c 500 <<<"$problem")" 'nothing was exchanged: free the disk or stage the snapshot again, then run this again, or roll-back'
  fi
  say "$problem"
  pattern=$(nearest "$live")
  if [ -e "$old" ]; then pattern=$old; fi
  printf '%s\n' "$LIFEBOAT_RESTORE_ID" >"$restoring/member/$MARKER"
  if [ "$own_disk" = yes ]; then
    rename "$restoring/member" "$restoring.member"
    remove_tree "$restoring"
    rename "$restoring.member" "$restoring"
  fi
  give_like "$restoring" "$pattern"
  chmod 700 -- "$restoring"
  find "$restoring" -exec sync -- {} +
  rename "$restoring" "$new"
fi
# Again: making the data took its time.
require_etcd_gone
swap_in

succeed found "$(text "$found")" now "$(what_is_there)" bytes "$(bytes_of "$live")" oldBytes "$(bytes_of "$old")" seconds "$SECONDS"
