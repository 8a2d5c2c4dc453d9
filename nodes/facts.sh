#!/usr/bin/env bash
# Tells what this node is and in what state earlier documents left it. Changes nothing, waits for nobody.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

find_busy
busy=$REPLY
describe_etcd
describe_apiserver
name_data
find_etcd_process
etcd_process=$REPLY
ask_apiserver
find_etcdutl
unit_is=''
if [ "$etcd_runs" = systemd ]; then unit_is=$(etcd_unit_is); fi

etcdutl_facts=null
if [ -n "$etcdutl" ]; then
  etcdutl_facts=$(object from "$(text "$etcdutl_from")" version "$(text "$etcdutl_version")" bumpRevision "$(yes_or_no has_bump "$etcdutl")")
elif [ -n "$etcdutl_from" ]; then
  # Not run before it is needed: the release of the image is the release of etcd.
  etcdutl_facts=$(object from "$(text "$etcdutl_from")" version "$(text "$etcdutl_version")" bumpRevision null)
fi

data_facts=null
if [ -n "$data_dir" ]; then
  bytes=''
  if [ -e "$data_dir/member/snap/db" ]; then bytes=$(stat -c %s -- "$data_dir/member/snap/db" || true); fi
  mapfile -t kept < <(kept_data)
  mapfile -t earlier < <(restored_before "$live" | while read -r each; do text "$each" && echo; done)
  data_facts=$(object dir "$(text "$data_dir")" exists "$(yes_or_no test -e "$live")" ownDisk "$(yes_or_no test "$own_disk" = yes)" dbBytes "$(number_or_null "$bytes")" \
    restoredBy "$(text_or_null "$(restored_by "$live")")" restoredBefore "$(list ${earlier[@]+"${earlier[@]}"})" kept "$(list ${kept[@]+"${kept[@]}"})" \
    freeBytes "$(number_or_null "$(free_bytes "$live")")" freeInodes "$(number_or_null "$(free_inodes "$live")")")
fi

restores=()
for record in "$STATE/restores/"*; do
  staged=''
  if [ -e "$record/snapshot.db" ]; then staged=$(stat -c %s -- "$record/snapshot.db" || true); fi
  restores+=("$(object restoreId "$(text "${record##*/}")" stagedBytes "$(number_or_null "$staged")" stagedSha256 "$(text_or_null "$(cat "$record/snapshot.sha256" 2>/dev/null || true)")" \
    purpose "$(text "$(cat "$record/purpose" 2>/dev/null || echo restore)")")")
done

# The kubelet runs every file in the folder, whatever its name: a forgotten copy is a second etcd.
strays=()
for file in "$LIFEBOAT_MANIFEST_DIR"/*; do
  case ${file##*/} in etcd.yaml | kube-apiserver.yaml) continue ;; esac
  if grep -Eq '^ *component: *"?(etcd|kube-apiserver)"? *$' "$file"; then strays+=("$(text "${file##*/}")"); fi
done

tools=()
for tool in aws curl flock sha256sum; do tools+=("$tool" "$(yes_or_no eval "command -v $tool >/dev/null")"); done

succeed host "$(text "$(uname -n)")" busyWith "$(text_or_null "$busy")" \
  etcd "$(object runs "$(text "$etcd_runs")" definition "$(text "$etcd_at")" keptBy "$(text_or_null "$etcd_kept_by")" running "$(yes_or_no test -n "$etcd_process")" \
    servesLiveData "$(if [ -n "$etcd_process" ]; then yes_or_no serves_live_data "$etcd_process"; else printf false; fi)" \
    listening "$(if [ -n "$etcd_client_url" ]; then yes_or_no listens "$etcd_client_url"; else printf false; fi)" \
    name "$(text_or_null "$etcd_name")" peerUrls "$(text_or_null "$etcd_peer_urls")" clientUrl "$(text_or_null "$etcd_client_url")" \
    walDir "$(text_or_null "$etcd_wal_dir")" image "$(text_or_null "$etcd_image")" version "$(text_or_null "$etcd_version")" unitIs "$(text_or_null "$unit_is")")" \
  apiserver "$(object definition "$(text "$apiserver_at")" keptBy "$(text_or_null "$apiserver_kept_by")" running "$(yes_or_no test -n "$apiserver_process")" ready "$apiserver_ready" \
    address "$(text_or_null "$apiserver_serves_at")")" \
  etcdutl "$etcdutl_facts" data "$data_facts" \
  stage "$(object freeBytes "$(number_or_null "$(free_bytes "$STATE")")" freeInodes "$(number_or_null "$(free_inodes "$STATE")")" \
    sameDisk "$(if [ -n "$data_dir" ]; then yes_or_no same_disk "$(nearest "$STATE")" "$(nearest "$live")"; else printf false; fi)")" \
  restores "$(list ${restores[@]+"${restores[@]}"})" strayManifests "$(list ${strays[@]+"${strays[@]}"})" tools "$(object "${tools[@]}")"
