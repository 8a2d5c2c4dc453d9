#!/usr/bin/env bash
# Part of every node document: a set of certificates as it comes out of the secret, and whether it may be put in place.
# Paths in a set: pki/<leaf>.crt, pki/<leaf>.key, kubeconfigs/<file>; once the key pair of service accounts was ever exchanged pki/sa.pub, with all
# keys that verify tokens, and pki/sa.key by which they are signed; while authorities are rotated and afterwards also what is trusted,
# pki/<authority>.crt, with the key of its first certificate where the node has keys of authorities, and pki/signer/ca.crt and ca.key by which
# the controller-manager signs, and kubelet/client.pem by which the kubelet is somebody. `restarts` names what has to be started again for it, one word a line.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

NEW_SET='take a set that was made for this node and this generation of its authorities, as certificate-facts tells them'

# fetch_set: scratch/set is the archive of the wanted version, as it was made.
fetch_set() {
  local found
  make_scratch keys
  call_secrets get-secret-value SecretString --secret-id "$LIFEBOAT_SECRET_ID" --version-id "$LIFEBOAT_SECRET_VERSION"
  sed -n 's/.*"archive": *"\([A-Za-z0-9+/=]*\)".*/\1/p' "$scratch/answer" | base64 -d >"$scratch/set" 2>/dev/null || true
  found=$(sha_of "$scratch/set")
  if [ "$found" != "$LIFEBOAT_SET_SHA256" ]; then
    fail SetDiffers "the SHA-256 of the archive in version $LIFEBOAT_SECRET_VERSION is $found, and it should be $LIFEBOAT_SET_SHA256" \
      'run this with the version and the SHA-256 of the same set'
  fi
}

# refuse_set <why>
refuse_set() { fail SetNotAccepted "$1" 'put only certificates, keys and kubeconfigs of kubeadm into a set, each once'; }

# names_of_set: every path that a set may have, one a line. What is trusted comes first.
names_of_set() {
  local name
  for name in $AUTHORITIES signer/ca $LEAVES; do printf 'pki/%s\n' "$name.key" "$name.crt"; done
  for name in $KUBECONFIGS; do printf 'kubeconfigs/%s\n' "$name"; done
  printf 'kubelet/client.pem\npki/sa.key\npki/sa.pub\n'
}

# unpack_set <folder>: plain files with names that are known, and nothing else: what root unpacks must not reach anywhere else.
unpack_set() {
  local names entries name known seen=$'\n'
  if ! names=$(tar -tzf "$scratch/set" 2>/dev/null) || ! entries=$(tar -tvzf "$scratch/set" 2>/dev/null); then refuse_set 'it is not a tar.gz'; fi
  if grep -qv '^[-d]' <<<"$entries"; then refuse_set 'it has links or devices in it'; fi
  known=$'\n'$(names_of_set)$'\n'
  while IFS= read -r name; do
    case $name in
      pki/ | pki/etcd/ | pki/signer/ | kubeconfigs/ | kubelet/ | restarts) continue ;;
    esac
    if [[ $known != *$'\n'"$name"$'\n'* ]]; then refuse_set "it has \"${name:0:80}\" in it"; fi
    if [[ $seen == *$'\n'"$name"$'\n'* ]]; then refuse_set "it has $name twice in it"; fi
    seen+=$name$'\n'
  done <<<"$names"
  make_dir "$1"
  tar -xzf "$scratch/set" -C "$1" --no-same-owner --no-same-permissions
  if [ -n "$(find "$1" ! -type d ! -type f)" ]; then refuse_set 'it has a name that is a folder and a file'; fi
}

# authority_of <path in a set> <set>: the file that must vouch for it: what the set wants to be trusted, or else what this node has.
authority_of() {
  local file
  case $1 in
    pki/etcd/* | pki/apiserver-etcd-client.*) file=etcd/ca.crt ;;
    pki/front-proxy-client.*) file=front-proxy-ca.crt ;;
    *) file=ca.crt ;;
  esac
  if [ -e "$2/pki/$file" ]; then printf %s "$2/pki/$file"; else printf %s "$pki/$file"; fi
}

# verifies <authorities> <certificate> <purpose>: unverified is openssl's reason when not. What follows the leaf in its file may lead to an
# authority, as in a generation that the one before has signed too. -trusted: nobody else is trusted, none of the system's.
verifies() {
  local answer
  unverified=''
  if answer=$(openssl verify -trusted "$1" -untrusted "$2" -partial_chain -purpose "$3" "$2" 2>&1); then return 0; fi
  # `error 10 at 0 depth lookup: certificate has expired`; older ones have a colon after `lookup`.
  unverified=$(sed -n 's/.*depth lookup: *//p' <<<"$answer" | head -n 1)
  unverified=${unverified:-$(tail -n 1 <<<"$answer" | cut -c -200)}
  return 1
}

# purposes_of <path in a set>
purposes_of() {
  case $1 in
    pki/etcd/server.crt | pki/etcd/peer.crt) printf 'sslserver sslclient' ;;
    pki/apiserver.crt) printf sslserver ;;
    *) printf sslclient ;;
  esac
}

# require_verified <path in a set> <file with its certificate> <set>
require_verified() {
  local purpose authority
  authority=$(authority_of "$1" "$3")
  if [ ! -r "$authority" ]; then fail SetUnfit "$authority is not on this node, and $1 needs it" "$NEW_SET"; fi
  for purpose in $(purposes_of "$1"); do
    if ! verifies "$authority" "$2" "$purpose"; then fail SetUnfit "$1 is not good by $authority as $purpose: $unverified" "$NEW_SET"; fi
  done
}

# certificates_in <file>: how many.
certificates_in() { certificate_blocks <"$1" | grep -c -- '^-----BEGIN CERTIFICATE-----$' || true; }

# require_authorities_fit <set>: ends the document unless what is to be trusted are certificates, keys are those of their first, and whoever signs
# on this node still can: the controller-manager signs nothing by a file of several (kubernetes pkg/controller/certificates/signer/ca_provider.go).
require_authorities_fit() {
  local name found manager=$LIFEBOAT_MANIFEST_DIR/kube-controller-manager.yaml signs_by=''
  for name in $AUTHORITIES signer/ca; do
    if [ -e "$1/pki/$name.key" ]; then
      if [ ! -e "$1/pki/$name.crt" ]; then fail SetUnfit "$name.key is in this set without its certificate" "$NEW_SET"; fi
      found=$(pair_is "$1/pki/$name")
      if [ "$found" != matches ]; then fail SetUnfit "the key of $name is not that of its first certificate ($found)" "$NEW_SET"; fi
    fi
    if [ -e "$1/pki/$name.crt" ] && [ -z "$(fingerprint <"$1/pki/$name.crt")" ]; then fail SetUnfit "$name.crt of this set is no certificate" "$NEW_SET"; fi
  done
  if [ -e "$manager" ]; then
    signs_by=$(manifest_flag "$manager" cluster-signing-cert-file)
    if [ -n "$signs_by" ]; then signs_by=$(host_path "$manager" "$signs_by"); fi
  fi
  if [ -e "$1/pki/ca.crt" ] && [ -n "$signs_by" ] && [ "$signs_by" -ef "$pki/ca.crt" ] && [ "$(certificates_in "$1/pki/ca.crt")" != 1 ]; then
    fail SetUnfit "the controller-manager signs by $signs_by, and signs nothing more when that holds several certificates" \
      'give its signer files of its own first: run split-signer'
  fi
  if [ ! -e "$1/pki/signer/ca.crt" ]; then return 0; fi
  if [ ! -e "$1/pki/signer/ca.key" ] || [ "$(certificates_in "$1/pki/signer/ca.crt")" != 1 ]; then
    fail SetUnfit 'the signer of this set is not one certificate with its key' "$NEW_SET"
  fi
  if [ -n "$signs_by" ] && [ ! "$signs_by" -ef "$pki/signer/ca.crt" ]; then
    fail SetUnfit "the controller-manager signs by $signs_by and not by $pki/signer/ca.crt" 'run split-signer first'
  fi
}

# require_accounts_fit <set>: ends the document unless every key that is to verify tokens can be read, and whoever signs is the first of them: an API
# server that signed what it does not verify would refuse its own tokens.
require_accounts_fit() {
  local keys=$1/pki/sa.pub own='' begun
  if [ ! -e "$keys" ]; then
    if [ -e "$1/pki/sa.key" ]; then fail SetUnfit 'sa.key is in this set without sa.pub' "$NEW_SET"; fi
    return 0
  fi
  begun=$(grep -c -- '^-----BEGIN ' "$keys" || true)
  if [ "$begun" = 0 ] || [ "$(public_keys <"$keys" | grep -c -- '^-----BEGIN PUBLIC KEY-----$' || true)" != "$begun" ]; then
    fail SetUnfit 'sa.pub of this set has something else in it than public keys' "$NEW_SET"
  fi
  if [ -e "$1/pki/sa.key" ]; then
    own=$(public_of_key <"$1/pki/sa.key")
    if [ -z "$own" ] || [ "$own" != "$(openssl pkey -pubin -pubout <"$keys" 2>/dev/null || true)" ]; then
      fail SetUnfit 'sa.key of this set is not that of the first key in its sa.pub' "$NEW_SET"
    fi
    return 0
  fi
  if [ -r "$pki/sa.key" ]; then own=$(public_of_key <"$pki/sa.key"); fi
  if [ -n "$own" ] && [[ $(public_keys <"$keys") != *"$own"* ]]; then
    fail SetUnfit "this node signs tokens by $pki/sa.key, and sa.pub of this set does not have its public key" "$NEW_SET"
  fi
}

# require_kubelet_kept <set>: ends the document when the kubelet is somebody now, and would be nobody by what is to be trusted.
require_kubelet_kept() {
  local trusted=$1/pki/ca.crt
  if [ ! -e "$trusted" ]; then trusted=$pki/ca.crt; fi
  if [ -e "$1/kubelet/client.pem" ]; then
    if ! kubelet_pair_is_good "$trusted" "$1/kubelet/client.pem"; then fail SetUnfit "kubelet/client.pem of this set is not good: $unverified" "$NEW_SET"; fi
    return 0
  fi
  if [ ! -e "$1/pki/ca.crt" ] || [ -e "$1/kubeconfigs/kubelet.conf" ] || ! kubelet_pair_is_good "$pki/ca.crt"; then return 0; fi
  if kubelet_pair_is_good "$trusted"; then return 0; fi
  fail SetUnfit "the certificate of the kubelet is not good by the authorities of this set: $unverified" \
    'wait until the kubelet has renewed it by the new authority, or let it: remove kubelet-client-current.pem and start it with a bootstrap token'
}

# require_fit <folder>: ends the document unless every pair fits, and every certificate is good now by what is trusted then.
require_fit() {
  local name found
  require_authorities_fit "$1"
  require_accounts_fit "$1"
  require_kubelet_kept "$1"
  for name in $LEAVES; do
    if [ ! -e "$1/pki/$name.crt" ] && [ ! -e "$1/pki/$name.key" ]; then continue; fi
    if [ ! -e "$1/pki/$name.crt" ] || [ ! -e "$1/pki/$name.key" ]; then fail SetUnfit "$name has only one half in this set" "$NEW_SET"; fi
    found=$(pair_is "$1/pki/$name")
    if [ "$found" != matches ]; then fail SetUnfit "the key of $name is not that of its certificate ($found)" "$NEW_SET"; fi
    require_verified "pki/$name.crt" "$1/pki/$name.crt" "$1"
  done
  for name in $KUBECONFIGS; do if [ -e "$1/kubeconfigs/$name" ]; then require_kubeconfig_fit "$name" "$1/kubeconfigs/$name" "$1"; fi; done
}

# require_kubeconfig_fit <name> <file> <set>
require_kubeconfig_fit() {
  local serving=$3/pki/apiserver.crt
  if [ -z "$(kubeconfig_field "$2" client-certificate-data)" ] || [ -z "$(kubeconfig_field "$2" client-key-data)" ]; then
    fail SetUnfit "$1 of this set holds no certificate and key" "$NEW_SET"
  fi
  if [ "$(kubeconfig_pair_is "$2")" != matches ]; then fail SetUnfit "the key in $1 is not that of its certificate" "$NEW_SET"; fi
  kubeconfig_certificate "$2" >"$scratch/kubeconfig.crt"
  require_verified "kubeconfigs/$1" "$scratch/kubeconfig.crt" "$3"
  case $1 in controller-manager.conf | scheduler.conf) ;; *) return 0 ;; esac
  # These ask the API server of this node, and would end at once without trust in it.
  if [ ! -e "$serving" ]; then serving=$pki/apiserver.crt; fi
  kubeconfig_authority "$2" >"$scratch/kubeconfig.ca.crt"
  if [ ! -s "$scratch/kubeconfig.ca.crt" ]; then fail SetUnfit "$1 of this set names no authority" "$NEW_SET"; fi
  if [ -e "$serving" ] && [ "$serving" != "$pki/apiserver.crt" ] && ! verifies "$scratch/kubeconfig.ca.crt" "$serving" sslserver; then
    fail SetUnfit "the authority in $1 does not vouch for the apiserver certificate of this set: $unverified" "$NEW_SET"
  fi
}

# kubelet_pair_is_good <authorities> [file]: whether the certificate that the kubelet renews for itself is there, fits its key, and is good now.
kubelet_pair_is_good() {
  local file=${2:-$kubelet_pair}
  unverified='its key is not that of its certificate'
  [ -r "$file" ] || return 1
  certificate_blocks <"$file" >"$scratch/kubelet.crt"
  [ "$(pair_of "$(public_of_certificate <"$scratch/kubelet.crt")" "$(public_of_key <"$file")")" = matches ] || return 1
  verifies "$1" "$scratch/kubelet.crt" sslclient
}

# settle_kubelet_conf <folder>: kubelet_conf is what becomes of kubelet.conf. One that holds its certificate holds the first one for ever, and
# the kubelet ends when it starts after that has expired (kubernetes/kubeadm#1753). Whom it trusts follows the set.
settle_kubelet_conf() {
  local wanted=$1/kubeconfigs/kubelet.conf trusted
  if [ -e "$1/pki/ca.crt" ]; then trusted=$1/pki/ca.crt; else trusted=$pki/ca.crt; fi
  kubelet_conf=$(kubelet_conf_is)
  case $kubelet_conf in
    refers)
      # What it refers to may have ended with everything else: then nobody renews it any more, and the one of the set begins anew.
      if [ -e "$wanted" ] && ! kubelet_pair_is_good "$trusted"; then kubelet_conf=replaced; else rm -f -- "$wanted"; fi
      ;;
    absent) if [ -e "$wanted" ]; then kubelet_conf=replaced; fi ;;
    embeds)
      if kubelet_pair_is_good "$trusted"; then
        mkdir -p -- "$1/kubeconfigs"
        sed -e "s|^\([ -]*\)client-certificate-data:.*|\1client-certificate: $kubelet_pair|" \
          -e "s|^\([ -]*\)client-key-data:.*|\1client-key: $kubelet_pair|" "$kubeconfigs/kubelet.conf" >"$wanted"
        kubelet_conf=rewritten
      elif [ -e "$wanted" ]; then
        kubelet_conf=replaced
      else
        kubelet_conf=left
      fi
      ;;
  esac
  if [ "$trusted" != "$pki/ca.crt" ] && [ "$kubelet_conf" != absent ]; then trust_in_kubelet_conf "$1" "$wanted"; fi
}

# trust_in_kubelet_conf <set> <what becomes of kubelet.conf>: the authorities of the set in the place of those that kubelet.conf holds.
trust_in_kubelet_conf() {
  local from=$kubeconfigs/kubelet.conf
  if [ -e "$2" ]; then from=$2; fi
  # One that names a file needs nothing: that file is in the set.
  if [ -z "$(kubeconfig_field "$from" certificate-authority-data)" ]; then return 0; fi
  mkdir -p -- "$1/kubeconfigs"
  sed "s|^\([ -]*certificate-authority-data:\).*|\1 $(base64 -w 0 <"$1/pki/ca.crt")|" "$from" >"$2.part"
  mv -- "$2.part" "$2"
}
