#!/usr/bin/env bash
# Part of every node document: stopping and starting etcd and kube-apiserver.
# A static pod stops when its manifest leaves the manifest folder, and a copy there would run as a second one, so it is moved, never copied.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

record_dir() {
  record=$STATE/restores/$LIFEBOAT_RESTORE_ID
  manifests=$record/manifests
  make_dir "$STATE/restores"
  make_dir "$record"
  make_dir "$manifests"
}

# begin_change: what every document does first that changes this node for one restore. After a roll-back nothing goes on, whoever still
# asks for it: an execution that was redriven too late, or an agent that was away and runs what it had been told.
begin_change() {
  take_lock
  require_member
  name_data
  require_own
  record_dir
  if [ "$LIFEBOAT_COMMAND" != roll-back ] && [ -e "$record/rolled-back" ]; then
    fail RolledBack "restore $LIFEBOAT_RESTORE_ID was rolled back on this node" 'start another execution; when the roll-back did not end well, run roll-back again'
  fi
  require_latest
}

# require_latest: ends the document when a later restore made the data. Whoever stopped something before may start it again.
require_latest() {
  local by
  find_data_state
  by=$(restored_by "$live")
  if [ "$LIFEBOAT_COMMAND" != start ] && [ "$data_state" = unclear ] && [ -n "$by" ]; then
    fail OtherRestore "what lies in $live was made by restore $by, later than $LIFEBOAT_RESTORE_ID" \
      "roll $by back first; to go back to what was before both, restore a snapshot of that time"
  fi
}

wants() { [ "$LIFEBOAT_WHAT" = both ] || [ "$LIFEBOAT_WHAT" = "$1" ]; }

# put_away <file>: from the manifest folder to the record of this restore.
put_away() {
  local file=$LIFEBOAT_MANIFEST_DIR/$1
  [ -e "$file" ] || return 0
  if [ -e "$manifests/$1" ] && ! same_content "$file" "$manifests/$1"; then
    fail ManifestsDiffer "$file was written anew while $manifests/$1 was kept" 'compare them, remove the one that is not wanted and run this again'
  fi
  move_file "$file" "$manifests/$1"
}

# put_back <file>
put_back() {
  [ -e "$manifests/$1" ] || return 0
  if [ -e "$LIFEBOAT_MANIFEST_DIR/$1" ] && ! same_content "$manifests/$1" "$LIFEBOAT_MANIFEST_DIR/$1"; then
    fail ManifestsDiffer "$LIFEBOAT_MANIFEST_DIR/$1 was written anew while $manifests/$1 was kept" \
      'compare them, remove the one that is not wanted and run this again'
  fi
  move_file "$manifests/$1" "$LIFEBOAT_MANIFEST_DIR/$1"
}

etcd_is_gone() { find_etcd_process && [ -z "$REPLY" ]; }
etcd_is_there() { find_etcd_process && [ -n "$REPLY" ] && serves_live_data "$REPLY" && listens "$etcd_client_url"; }

# How long kube-apiserver may finish what it has begun, once its port is closed. Then only open watches hold it back, which nobody ends: with
# kubeadm's flags until the kubelet kills it after 30 s, in which nobody is served.
DRAIN_SECONDS=3

apiserver_listens() { [ -n "$apiserver_serves_at" ] && listens "https://$apiserver_serves_at"; }

# apiserver_has_ended: ends it when it has been told to end, which a port shows that was open and is closed, and has had its time.
apiserver_has_ended() {
  find_apiserver_process
  if [ -z "$REPLY" ]; then return 0; fi
  if [ "$listened" = no ] || apiserver_listens; then return 1; fi
  closed_since=${closed_since:-$SECONDS}
  if [ $((SECONDS - closed_since)) -ge "$DRAIN_SECONDS" ]; then
    say "kube-apiserver (process $REPLY) has closed its port and is held back by watches: it is killed"
    kill -KILL "$REPLY" || true
  fi
  return 1
}

stop_apiserver() {
  local listened=no closed_since=''
  # Run by something else than a manifest, it goes on: it waits for etcd, and reads anew when the revisions have jumped.
  if [ "$apiserver_at" = none ]; then return 0; fi
  # Asked again: a busy machine does not always answer in time, and what is not seen to listen is not seen to close its port.
  for _ in 1 2 3; do
    if apiserver_listens; then
      listened=yes
      break
    fi
    find_apiserver_process
    if [ -z "$REPLY" ]; then break; fi
  done
  put_away kube-apiserver.yaml
  if ! wait_for "$LIFEBOAT_WAIT_SECONDS" apiserver_has_ended; then
    find_apiserver_process
    fail ApiserverStillRuns "kube-apiserver (process $REPLY) still runs $LIFEBOAT_WAIT_SECONDS s after its manifest was taken away" \
      "see that the kubelet runs and that no other file in $LIFEBOAT_MANIFEST_DIR starts it, then run this again"
  fi
}

# require_etcd_gone: ends the document when a process might write into the data that is about to be exchanged, or when one that ends again
# and again may be started by its manifest at any moment.
require_etcd_gone() {
  # Asked anew each time: somebody may have put the manifest back.
  describe_etcd
  find_etcd_process
  if [ -z "$REPLY" ] && { [ "$etcd_at" = in-place ] || [ "$etcd_at" = both ]; }; then
    fail EtcdStillRuns "etcd is not stopped on this node: what starts it is in its place" 'run stop first'
  fi
  if [ -n "$REPLY" ]; then fail EtcdStillRuns "etcd (process $REPLY) uses $data_dir" 'run stop first'; fi
}

# How long a kubelet may need to see that a manifest went and to end what it had begun.
KUBELET_SECONDS=3

stop_etcd() {
  local crashes=no
  case $etcd_runs in
    static-pod)
      find_etcd_process
      if [ -z "$REPLY" ] && [ -e "$LIFEBOAT_MANIFEST_DIR/etcd.yaml" ]; then crashes=yes; fi
      put_away etcd.yaml
      # What crashes again and again is just now not there: the kubelet may be about to start it once more.
      if [ "$crashes" = yes ]; then sleep "$KUBELET_SECONDS"; fi
      ;;
    systemd)
      # Disabled too: after a reboot in the middle etcd would start with half of its data.
      if [ ! -e "$record/unit-was" ]; then write_file "$record/unit-was" "$(etcd_unit_is)"; fi
      systemctl disable etcd.service
      # TimeoutStopSec of the unit may be longer, or infinity.
      timeout "$LIFEBOAT_WAIT_SECONDS" systemctl stop etcd.service || say 'systemctl stop has not ended well'
      ;;
  esac
  if ! wait_for "$LIFEBOAT_WAIT_SECONDS" etcd_is_gone; then
    find_etcd_process
    fail EtcdStillRuns "etcd (process $REPLY) still runs $LIFEBOAT_WAIT_SECONDS s after it was told to stop" \
      "see that the kubelet runs and that no other file in $LIFEBOAT_MANIFEST_DIR starts etcd, then run this again"
  fi
}

start_etcd() {
  case $etcd_runs in
    static-pod) put_back etcd.yaml ;;
    systemd)
      if [ "$(cat "$record/unit-was" 2>/dev/null)" = enabled ]; then systemctl enable etcd.service; fi
      # Of one that ended again and again systemd wants to hear no more.
      systemctl reset-failed etcd.service || true
      # With Type=notify it would block until most members are there, for as long as the unit says.
      systemctl start --no-block etcd.service
      rm -f -- "$record/unit-was"
      sync -- "$record"
      ;;
  esac
  if ! wait_for "$LIFEBOAT_WAIT_SECONDS" etcd_is_there; then
    fail EtcdNotListening "etcd does not listen on $etcd_client_url $LIFEBOAT_WAIT_SECONDS s after it was started" \
      'read its log (crictl logs, journalctl -u etcd); roll-back puts the previous data back'
  fi
}

start_apiserver() {
  put_back kube-apiserver.yaml
  [ -e "$LIFEBOAT_MANIFEST_DIR/kube-apiserver.yaml" ] || return 0
  if wait_for "$LIFEBOAT_WAIT_SECONDS" apiserver_serves; then return 0; fi
  if [ -z "$apiserver_process" ]; then
    fail ApiserverNotRunning "kube-apiserver does not run $LIFEBOAT_WAIT_SECONDS s after its manifest was put back" 'see that the kubelet runs, and read its log'
  fi
  if [ "$apiserver_ready" = false ]; then
    fail ApiserverNotReady "kube-apiserver is not ready $LIFEBOAT_WAIT_SECONDS s after its manifest was put back: $apiserver_because" \
      'when etcd is among them, start most of its members; else read the log of kube-apiserver (crictl logs); then run this again'
  fi
}

# what_is_there: one JSON object, for the results of everything that changes a node.
what_is_there() {
  local etcd
  describe_etcd
  describe_apiserver
  find_etcd_process && etcd=$REPLY
  ask_apiserver
  find_data_state
  object data "$(text "$data_state")" etcd "$(object definition "$(text "$etcd_at")" running "$(yes_or_no test -n "$etcd")")" \
    apiserver "$(object definition "$(text "$apiserver_at")" running "$(yes_or_no test -n "$apiserver_process")" ready "$apiserver_ready")"
}
