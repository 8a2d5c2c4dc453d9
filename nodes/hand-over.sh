#!/usr/bin/env bash
# Puts the authorities of the cluster, with their keys, into the secret that is named for that. They leave this node in no other way.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

take_lock
forget_keys
require_tools openssl tar base64 gzip aws
pki=$LIFEBOAT_PKI_DIR
make_scratch keys
mkdir -p -- "$scratch/pki/etcd"

authorities=() paths=()
add() {
  cp -- "$pki/$1" "$scratch/pki/$1"
  paths+=("pki/$1")
}
# note <name> <whether its key goes with it>
note() { authorities+=("$(object name "$(text "$1")" key "$2")"); }

for name in $AUTHORITIES; do
  if [ ! -r "$pki/$name.crt" ]; then continue; fi
  add "$name.crt"
  if authority_fits "$pki/$name"; then
    add "$name.key"
    note "$name" true
  else
    note "$name" false
  fi
done
if [ -r "$pki/sa.pub" ]; then
  add sa.pub
  if service_accounts_fit; then
    add sa.key
    note sa true
  else
    note sa false
  fi
fi
if [ "${#authorities[@]}" = 0 ]; then
  fail NoAuthorities "none of ca.crt, etcd/ca.crt, front-proxy-ca.crt and sa.pub is in $pki" 'name the folder of the certificates in nodes.pkiDir'
fi

pack "$scratch" "$scratch/archive" "${paths[@]}"
printf '{"version":1,"archive":"%s"}' "$(base64 -w 0 <"$scratch/archive")" >"$scratch/value"
# Each time a version of its own: what was taken and emptied, and is handed over again, would be ignored under the same token.
call_secrets put-secret-value VersionId --secret-id "$LIFEBOAT_SECRET_ID" --secret-string "file://$scratch/value"

succeed authorities "$(list "${authorities[@]}")" versionId "$(text "$(cat "$scratch/answer")")" archiveSha256 "$(text "$(sha_of "$scratch/archive")")" \
  bytes "$(stat -c %s -- "$scratch/value")"
