#!/usr/bin/env bash
# Part of every node document: by which files the controller-manager of this node signs.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# find_signer: signer_is is
#   none     no manifest runs a controller-manager here, or it signs nothing: the key of the authority is elsewhere
#   shared   it signs by pki/ca.crt, which everything on the node trusts as well
#   own      it signs by a file of its own
# signer_inner_certificate and signer_inner_key are the paths of its flags, signer_certificate and signer_key where these are on the node.
find_signer() {
  manager=$LIFEBOAT_MANIFEST_DIR/kube-controller-manager.yaml
  signer_is=none
  signer_inner_certificate='' signer_inner_key='' signer_certificate='' signer_key=''
  if [ ! -e "$manager" ]; then return 0; fi
  # Of an external CA kubeadm writes both without a value (cmd/kubeadm/app/phases/controlplane/manifests.go).
  signer_inner_certificate=$(manifest_flag "$manager" cluster-signing-cert-file)
  signer_inner_key=$(manifest_flag "$manager" cluster-signing-key-file)
  if [ -z "$signer_inner_certificate" ] || [ -z "$signer_inner_key" ]; then return 0; fi
  signer_certificate=$(host_path "$manager" "$signer_inner_certificate")
  signer_key=$(host_path "$manager" "$signer_inner_key")
  signer_is=own
  if [ -n "$signer_certificate" ] && [ "$signer_certificate" -ef "$pki/ca.crt" ]; then signer_is=shared; fi
}

# signer_fingerprint: of the certificate by which the controller-manager signs; nothing where there is not exactly one, by which it signs nothing.
signer_fingerprint() {
  if [ -r "$signer_certificate" ] && [ "$(certificates_in "$signer_certificate")" = 1 ]; then fingerprint <"$signer_certificate"; fi
}

# is_among <certificate> <bundle>
is_among() {
  local line block='' wanted
  wanted=$(fingerprint <"$1")
  while IFS= read -r line; do
    block+=$line$'\n'
    if [ "$line" != '-----END CERTIFICATE-----' ]; then continue; fi
    if [ "$(fingerprint <<<"$block")" = "$wanted" ]; then return 0; fi
    block=''
  done < <(certificate_blocks <"$2")
  return 1
}

# require_one_signer: ends the document where it is not known by what all of them sign. Several exclude the one (kubernetes
# pkg/controller/apis/config, cmd/kube-controller-manager/app/options/csrsigningcontroller.go), so that its flags alone look like those of none.
require_one_signer() {
  local usage
  if [ ! -e "$manager" ]; then
    if [ "$(service_is kube-controller-manager)" = loaded ]; then
      fail SignerUnclear 'systemd runs the controller-manager (kube-controller-manager.service), and only its manifest is ever changed' \
        "set --cluster-signing-cert-file and --cluster-signing-key-file of the unit to copies of pki/ca.crt and ca.key by hand"
    fi
    return 0
  fi
  for usage in kubelet-serving kubelet-client kube-apiserver-client legacy-unknown; do
    if [ -n "$(manifest_flag "$manager" "cluster-signing-$usage-cert-file")" ]; then
      fail SignerUnclear "the controller-manager has several signers (--cluster-signing-$usage-cert-file)" \
        'give each a file of one certificate that is not pki/ca.crt by hand: the lifeboat knows one signer'
    fi
  done
  if [ "$signer_is" = none ] && grep -Eq -- "--cluster-signing-(.*-)?(cert|key)-file([^=]|=[^\"' ]|\$)" "$manager"; then
    fail SignerUnclear "$manager names a signer in a way that cannot be read" \
      'write --cluster-signing-cert-file=<file> and --cluster-signing-key-file=<file>, each a line of its own, as kubeadm does'
  fi
}

# require_signer_folder: inner is how the controller-manager sees pki/signer, or the document ends.
require_signer_folder() {
  local found
  if [ -L "$manager" ]; then
    fail SignerUnclear "$manager is a link, and would be a file afterwards" 'put the file itself there, or change both flags where the link leads to'
  fi
  inner=${signer_inner_certificate%/*}/signer
  found=$(host_path "$manager" "$inner")
  if [ "${found%/signer}" = "$found" ] || [ ! "${found%/signer}" -ef "$pki" ]; then
    fail SignerUnclear "$inner in the controller-manager is ${found:-nowhere on this node} and not $pki/signer" \
      'mount the folder of the certificates into it as kubeadm does, then run this again'
  fi
  # Both are written into the manifest by sed, the second on the way back.
  if [[ ! $signer_inner_certificate$signer_inner_key =~ ^[A-Za-z0-9._/-]+$ ]]; then
    fail SignerUnclear "$signer_inner_certificate or $signer_inner_key has other characters than letters, digits, . _ / and -" \
      'give the files of the signer plainer names'
  fi
}

# require_signer_files <path in the container> <certificate> <key>: one certificate and its own key, or ends the document. A signer with several
# says so to nobody but its log, and only when it is made the leader.
require_signer_files() {
  local number
  if [ -z "$2" ] || [ ! -r "$2" ]; then
    fail SignerUnfit "nothing lies where the controller-manager looks for what it signs by ($1)" \
      'put the certificate and the key of the cluster authority there, from another node of the control plane, then run this again'
  fi
  number=$(certificates_in "$2")
  if [ "$number" != 1 ]; then
    fail SignerUnfit "$2 has $number certificates, and the signer of the controller-manager takes one" \
      'put there the certificate of the authority alone whose key lies beside it, then run this again'
  fi
  if [ -z "$3" ] || [ ! -r "$3" ] || [ "$(pair_of "$(public_of_certificate <"$2")" "$(public_of_key <"$3")")" != matches ]; then
    fail SignerUnfit "${3:-what --cluster-signing-key-file names} is not there, or not the key of $2" \
      'put the key of this authority there, from another node of the control plane, then run this again'
  fi
}

# copy_signer: pki/ca to pki/signer. With the certificate the pair is whole.
copy_signer() {
  local file
  make_dir "$pki/signer"
  give_like "$pki/signer" "$pki"
  chmod --reference="$pki" -- "$pki/signer"
  for file in ca.key ca.crt; do
    cp --preserve=all -- "$(readlink -f -- "$pki/$file")" "$pki/signer/$file.part"
    sync -- "$pki/signer/$file.part"
    rename "$pki/signer/$file.part" "$pki/signer/$file"
  done
}

# drop_copies: what of pki/signer lies in pki as well, once nobody signs by it: a key is nowhere that nobody knows of.
drop_copies() {
  local file
  for file in ca.crt ca.key; do
    rm -f -- "$pki/signer/$file.part"
    if [ -e "$pki/signer/$file" ] && same_content "$pki/signer/$file" "$pki/$file"; then rm -f -- "$pki/signer/$file"; fi
  done
  rmdir -- "$pki/signer" 2>/dev/null || true
  sync -- "$pki"
}

# sign_by <certificate> <key>: both flags by one rename. The copy is hidden while it is not whole: a kubelet reads no hidden files
# (pkg/kubelet/config/file.go).
sign_by() {
  local aside=$LIFEBOAT_MANIFEST_DIR/.lifeboat-kube-controller-manager.yaml
  sed "s|\(--cluster-signing-cert-file=\)[^\"' ]*|\1$1|; s|\(--cluster-signing-key-file=\)[^\"' ]*|\1$2|" "$manager" >"$aside"
  give_like "$aside" "$manager"
  chmod --reference="$manager" -- "$aside"
  sync -- "$aside"
  rename "$aside" "$manager"
  find_signer
}

# manager_signs_by <certificate in the container>: whether the controller-manager runs with this flag, and stays; problem is what is not so. On the
# way back it may be one that never ended, since the kubelet did not see the change.
manager_signs_by() {
  problem=''
  find_component controller-manager
  if [ -z "$REPLY" ]; then
    problem="kube-controller-manager does not run with --cluster-signing-cert-file=$1"
  elif ! has_words "$REPLY" "--cluster-signing-cert-file=$1"; then
    problem="kube-controller-manager (process $REPLY) does not run with --cluster-signing-cert-file=$1 yet"
  elif [ $(($(ticks_now) - $(started_at "$REPLY" || ticks_now))) -lt "$STEADY_TICKS" ]; then
    problem="kube-controller-manager does not stay with --cluster-signing-cert-file=$1: process $REPLY was started just now"
  fi
  [ -z "$problem" ]
}
