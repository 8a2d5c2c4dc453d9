#!/usr/bin/env bash
# Gives the signer of the controller-manager two files of its own, pki/signer/ca.crt and ca.key, so that pki/ca.crt may hold several authorities:
# the signer refuses a file of more than one (kubernetes pkg/controller/certificates/signer/ca_provider.go), and all else takes them. The two
# flags are changed by one rename of the manifest, and the kubelet starts kube-controller-manager again; when it does not come back, they are
# changed back by itself. What it signs by stays the same.
# The record in signer/ tells how far it came: under-way has the flags of before, going-back why it is undone: from then on it never goes on.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

take_lock
require_tools openssl
pki=$LIFEBOAT_PKI_DIR
describe_etcd
describe_apiserver
if [ -n "$etcd_kept_by$apiserver_kept_by" ]; then
  fail RestoreInProgress 'a restore has stopped parts of this node and has not started them again' 'finish it first: run start or roll-back'
fi
record=$STATE/signer
make_dir "$record"
find_signer

# told <was> <restarted>: ends the document.
told() {
  local signer=null
  if [ "$signer_is" = own ]; then
    signer=$(object certFile "$(text "$signer_inner_certificate")" keyFile "$(text "$signer_inner_key")" sha256 "$(text "$(signer_fingerprint)")")
  fi
  succeed was "$(text "$1")" signer "$signer" restarted "$2" seconds "$SECONDS"
}

# go_back <why>: to the flags that were there before, in the manifest of now.
go_back() {
  local certificate key
  if [ ! -e "$record/going-back" ]; then write_file "$record/going-back" "$1"; fi
  { read -r certificate && read -r key; } <"$record/under-way"
  if [ "$signer_inner_certificate" != "$certificate" ] || [ "$signer_inner_key" != "$key" ]; then sign_by "$certificate" "$key"; fi
  if ! wait_for "$LIFEBOAT_WAIT_SECONDS" manager_signs_by "$certificate"; then
    fail SignerUnclear "the flags of before are in the manifest again, and $problem. They are because $1" \
      'read the log of kube-controller-manager (crictl logs), then run this again'
  fi
  drop_copies
  # In this order: a reason alone would undo the next run.
  rm -f -- "$record/going-back"
  rm -f -- "$record/under-way"
  fail SignerNotSplit "the controller-manager signs by $certificate as before: $1" 'read its log (crictl logs), then run this again'
}

# prepare_split: ends the document, with nothing changed, unless the signer can be given pki/signer.
prepare_split() {
  require_signer_folder
  if [ -e "$pki/signer/ca.crt" ]; then
    # A run before this one came so far, or kubeadm upgrade wrote the old flags back since. Then it may be another generation that signs.
    require_signer_files "$inner/ca.crt" "$pki/signer/ca.crt" "$pki/signer/ca.key"
    if ! is_among "$pki/signer/ca.crt" "$pki/ca.crt"; then
      fail SignerUnfit "$pki/signer/ca.crt is another authority than those in $pki/ca.crt, and nobody trusts what it signs" \
        "move $pki/signer away, then run this again"
    fi
  else
    require_signer_files "$signer_inner_certificate" "$pki/ca.crt" "$pki/ca.key"
  fi
  find_component controller-manager
  # With several certificates it cannot run.
  if [ -z "$REPLY" ] && [ "$(certificates_in "$pki/ca.crt")" = 1 ]; then
    fail SignerNotSplit 'kube-controller-manager does not run on this node, so nobody could tell whether it still does afterwards' \
      'see that it runs (crictl ps -a, crictl logs), then run this again'
  fi
}

if [ -e "$record/going-back" ] && [ -e "$record/under-way" ]; then go_back "$(cat "$record/going-back")"; fi
require_one_signer
was=$signer_is
case $signer_is in
  none) told none '[]' ;;
  own)
    if [ ! -e "$signer_certificate" ] && [ "${signer_certificate%/signer/ca.crt}" -ef "$pki" ] && [ -r "$pki/ca.crt" ] && [ "$(certificates_in "$pki/ca.crt")" = 1 ]; then
      # A node that joined since has the flags by kubeadm-config, and of the files only those that kubeadm knows of. Of several, nobody here knows
      # which signs.
      require_signer_files "$signer_inner_certificate" "$pki/ca.crt" "$pki/ca.key"
      copy_signer
      was=missing
    fi
    require_signer_files "$signer_inner_certificate" "$signer_certificate" "$signer_key"
    if [ -e "$record/under-way" ]; then was=interrupted; fi
    if [ "$was" = own ]; then told own '[]'; fi
    ;;
  shared)
    prepare_split
    if [ ! -e "$pki/signer/ca.crt" ]; then copy_signer; fi
    write_file "$record/under-way" "$signer_inner_certificate"$'\n'"$signer_inner_key"
    sign_by "$inner/ca.crt" "$inner/ca.key"
    ;;
esac
if ! wait_for "$LIFEBOAT_WAIT_SECONDS" manager_signs_by "$signer_inner_certificate"; then
  # There are no flags of before, or it would never run with them.
  if [ ! -e "$record/under-way" ] || [ "$(certificates_in "$pki/ca.crt")" != 1 ]; then
    fail SignerUnclear "the controller-manager is to sign by $signer_inner_certificate and by nothing else, and $problem" \
      'read the log of kube-controller-manager (crictl logs), then run this again'
  fi
  go_back "$problem"
fi
rm -f -- "$record/under-way"
told "$was" '["kube-controller-manager"]'
