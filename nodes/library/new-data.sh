#!/usr/bin/env bash
# Part of every node document: making data of the staged snapshot, beside the data directory and while etcd still serves that.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# What new data was made of. A restore that is started over may have promised other revisions since.
RECIPE=lifeboat-made-of

recipe() { printf '%s %s %s %s\n' "$LIFEBOAT_SNAPSHOT_SHA256" "$LIFEBOAT_BUMP_REVISION" "$LIFEBOAT_INITIAL_CLUSTER" "$LIFEBOAT_CLUSTER_TOKEN"; }
recipe_of() { cat "$1/member/$RECIPE" 2>/dev/null || cat "$1/$RECIPE" 2>/dev/null || true; }

# make_new_data: afterwards $new is complete and made as asked for. Nothing that etcd uses is touched.
make_new_data() {
  local half problem before
  local -a bump
  if [ -e "$new" ]; then
    if [ "$(recipe_of "$new")" = "$(recipe)" ]; then return 0; fi
    remove_tree "$new"
  fi
  require_etcdutl
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
  printf '%s\n' "$LIFEBOAT_RESTORE_ID" >"$restoring/member/$MARKER"
  before=$live
  if [ -e "$old" ]; then before=$old; fi
  { restored_before "$before" && restored_by "$before"; } >"$restoring/member/$EARLIER"
  recipe >"$restoring/member/$RECIPE"
  if [ "$own_disk" = yes ]; then
    rename "$restoring/member" "$restoring.member"
    remove_tree "$restoring"
    rename "$restoring.member" "$restoring"
  fi
  give_to_etcd "$restoring"
  chmod 700 -- "$restoring"
  find "$restoring" -exec sync -- {} +
  rename "$restoring" "$new"
}
