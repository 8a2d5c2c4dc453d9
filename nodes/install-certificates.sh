#!/usr/bin/env bash
# Puts the certificates of the node's own secret in place, one rename each, and waits until they are served. When they are not, the previous
# ones are put back by itself. etcd and kube-apiserver read their certificates anew by themselves; they are started again only for whom they trust,
# and only when the set says so.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_certificates
find_record_state

# Somebody else, such as kubeadm certs renew, may have written over them.
still_in_place() { [ "$(cat "$record/set" 2>/dev/null)" = "$LIFEBOAT_SET_SHA256" ] && sha256sum --status --check "$record/digests"; }
go_back() {
  write_file "$record/going-back" "$1"
  if ! put_previous_back; then fail_unclear; fi
  end_going_back
  fail CertificatesNotServed "the previous certificates are in place again and served: $1" \
    'read the log of what did not serve (crictl logs), then run this again'
}
# told <was> <changed> <restarted>: ends the document.
told() {
  succeed was "$(text "$1")" changed "$2" restarted "$3" served "$(served_list)" kubelet "$(text "$(cat "$record/kubelet")")" seconds "$SECONDS"
}

was=absent
case $record_state in
  going-back) go_back "$(cat "$record/going-back")" ;;
  installed) if still_in_place; then drop_old && told installed '[]' '[]'; fi ;;
  switching) was=interrupted ;;
esac
if [ "$was" = absent ]; then
  drop_record "$record"
  require_tools aws
  fetch_set
  make_dir "$record"
  unpack_set "$record/new.part"
  require_fit "$record/new.part"
  settle_kubelet_conf "$record/new.part"
  require_room_for "$record/new.part"
  if [ -e "$record/new.part/restarts" ]; then mv -- "$record/new.part/restarts" "$record/restarts"; fi
  write_file "$record/set" "$LIFEBOAT_SET_SHA256"
  write_file "$record/kubelet" "$kubelet_conf"
  find "$record/new.part" -type f -exec sync -- {} +
  rename "$record/new.part" "$record/new"
  keep_previous
fi

put_in_place new
start_again switched
if ! wait_for "$LIFEBOAT_WAIT_SECONDS" all_serve "$record/switched"; then go_back "$problem"; fi
remember_installed
changed=$(changed_list)
restarted=$(restarted_list)
drop_old
told "$was" "$changed" "$restarted"
