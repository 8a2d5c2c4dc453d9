#!/usr/bin/env bash
# Gives the signer of the controller-manager two files of its own, pki/signer/ca.crt and ca.key, so that pki/ca.crt may hold several authorities:
# the signer refuses a file of more than one (kubernetes pkg/controller/certificates/signer/ca_provider.go), and all else takes them. The two
# flags are changed by one rename of the manifest, and the kubelet starts kube-controller-manager again; when it does not come back, they are
# changed back by itself. What it signs by stays the same.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

take_lock
require_tools openssl
name_certificates
record=$STATE/signer
make_dir "$record"
find_signer

# told <was> <restarted>: ends the document.
told() {
  local signer=null
  if [ "$signer_is" = own ]; then
    signer=$(object certFile "$(text "$signer_inner_certificate")" keyFile "$(text "$signer_inner_key")" sha256 "$(text "$(fingerprint <"$signer_certificate")")")
  fi
  succeed was "$(text "$1")" signer "$signer" restarted "$2" seconds "$SECONDS"
}

# go_back <why>: to the flags that were there before, in the manifest of now.
go_back() {
  local certificate key
  write_file "$record/going-back" "$1"
  { read -r certificate && read -r key; } <"$record/under-way"
  if [ "$signer_inner_certificate" != "$certificate" ] || [ "$signer_inner_key" != "$key" ]; then sign_by "$certificate" "$key"; fi
  if ! wait_for "$LIFEBOAT_WAIT_SECONDS" manager_signs_by "$certificate"; then
    fail SignerUnclear "the flags of before are in the manifest again, and $problem. They are because $1" \
      'read the log of kube-controller-manager (crictl logs), then run this again'
  fi
  rm -f -- "$record/going-back"
  rm -f -- "$record/under-way"
  fail SignerNotSplit "the controller-manager signs by $certificate as before: $1" 'read its log (crictl logs), then run this again'
}

if [ -e "$record/going-back" ] && [ -e "$record/under-way" ]; then go_back "$(cat "$record/going-back")"; fi
was=$signer_is
case $signer_is in
  none) told none '[]' ;;
  own)
    require_signer_files "$signer_inner_certificate" "$signer_certificate" "$signer_key"
    # By kubeadm-config, by somebody who did so before, or by a run before this one.
    if [ ! -e "$record/under-way" ]; then told own '[]'; fi
    was=interrupted
    ;;
  shared)
    require_one_signer
    require_signer_files "$signer_inner_certificate" "$pki/ca.crt" "$pki/ca.key"
    find_component controller-manager
    if [ -z "$REPLY" ]; then
      fail SignerNotSplit 'kube-controller-manager does not run on this node, so nobody could tell whether it still does afterwards' \
        'see that it runs (crictl ps -a, crictl logs), then run this again'
    fi
    inner=${signer_inner_certificate%/*}/signer
    if [[ ! $inner =~ ^[A-Za-z0-9._/-]+$ ]] || [ "$(host_path "$manager" "$inner/ca.crt")" != "$pki/signer/ca.crt" ]; then
      fail SignerUnclear "$inner in the controller-manager is not $pki/signer on this node" 'mount the folder of the certificates as kubeadm does'
    fi
    make_dir "$pki/signer"
    give_like "$pki/signer" "$pki"
    for file in ca.crt ca.key; do
      cp --preserve=all -- "$(readlink -f -- "$pki/$file")" "$pki/signer/$file.part"
      sync -- "$pki/signer/$file.part"
      rename "$pki/signer/$file.part" "$pki/signer/$file"
    done
    write_file "$record/under-way" "$signer_inner_certificate"$'\n'"$signer_inner_key"
    sign_by "$inner/ca.crt" "$inner/ca.key"
    ;;
esac
if ! wait_for "$LIFEBOAT_WAIT_SECONDS" manager_signs_by "$signer_inner_certificate"; then go_back "$problem"; fi
rm -f -- "$record/under-way"
told "$was" '["kube-controller-manager"]'
