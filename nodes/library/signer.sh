#!/usr/bin/env bash
# Part of every node document: by which files the controller-manager of this node signs.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# find_signer: signer_is is
#   none     no controller-manager is run by a manifest here, or it signs nothing: the authority is elsewhere
#   shared   it signs by pki/ca.crt, which everything on the node trusts as well
#   own      it signs by a file of its own
# signer_inner_certificate and signer_inner_key are the paths of its flags, signer_certificate and signer_key where these are on the node.
find_signer() {
  manager=$LIFEBOAT_MANIFEST_DIR/kube-controller-manager.yaml
  signer_is=none
  signer_inner_certificate='' signer_inner_key='' signer_certificate='' signer_key=''
  if [ ! -e "$manager" ]; then return 0; fi
  # Empty since kubeadm writes it so for an external CA.
  signer_inner_certificate=$(manifest_flag "$manager" cluster-signing-cert-file)
  signer_inner_key=$(manifest_flag "$manager" cluster-signing-key-file)
  if [ -z "$signer_inner_certificate" ] || [ -z "$signer_inner_key" ]; then return 0; fi
  signer_certificate=$(host_path "$manager" "$signer_inner_certificate")
  signer_key=$(host_path "$manager" "$signer_inner_key")
  signer_is=own
  if [ -n "$signer_certificate" ] && [ "$signer_certificate" -ef "$pki/ca.crt" ]; then signer_is=shared; fi
}

# require_one_signer: ends the document where several are told apart by what they sign for.
require_one_signer() {
  local usage
  for usage in kubelet-serving kubelet-client kube-apiserver-client legacy-unknown; do
    if [ -n "$(manifest_flag "$manager" "cluster-signing-$usage-cert-file")" ]; then
      fail SignerUnclear "the controller-manager has several signers (--cluster-signing-$usage-cert-file)" \
        'give each a file of one certificate that is not pki/ca.crt by hand: the lifeboat knows one signer'
    fi
  done
}

# require_signer_files <path in the container> <certificate> <key>: one certificate and its own key, or ends the document. A signer with several
# says so to nobody but its log, and only when it is made the leader.
require_signer_files() {
  local number
  if [ -z "$2" ] || [ ! -r "$2" ]; then
    fail SignerUnfit "nothing lies where the controller-manager looks for what it signs by ($1)" \
      'put the certificate and the key of the cluster authority there, from another node of the control plane, then run this again'
  fi
  number=$(certificate_blocks <"$2" | grep -c -- '^-----BEGIN CERTIFICATE-----$') || true
  if [ "$number" != 1 ]; then
    fail SignerUnfit "$2 has $number certificates, and the signer of the controller-manager takes one" \
      'put there the certificate of the authority alone whose key lies beside it, then run this again'
  fi
  if [ ! -r "$3" ] || [ "$(pair_of "$(public_of_certificate <"$2")" "$(public_of_key <"$3")")" != matches ]; then
    fail SignerUnfit "${3:-$1 without a key} is not the key of $2" \
      'put the key of this authority there, from another node of the control plane, then run this again'
  fi
}

# sign_by <certificate> <key>: both flags by one rename. The copy is hidden while it is not whole: a kubelet reads no hidden files
# (pkg/kubelet/config/file.go).
sign_by() {
  local aside=$LIFEBOAT_MANIFEST_DIR/.lifeboat-kube-controller-manager.yaml
  sed "s|\(--cluster-signing-cert-file=\)[^\"' ]*|\1$1|; s|\(--cluster-signing-key-file=\)[^\"' ]*|\1$2|" "$manager" >"$aside"
  give_like "$aside" "$manager"
  chmod --reference="$manager" -- "$aside"
  sync -- "$aside"
  write_file "$record/switched" "$(</proc/sys/kernel/random/boot_id) $(ticks_now)"
  rename "$aside" "$manager"
  find_signer
}

# manager_signs_by <certificate in the container>: whether the controller-manager runs with this flag, and stays; problem is what is not so.
manager_signs_by() {
  problem=''
  component_serves controller-manager "$record/switched"
  if [ -z "$problem" ] && ! has_words "$REPLY" "--cluster-signing-cert-file=$1"; then
    problem="kube-controller-manager (process $REPLY) does not run with --cluster-signing-cert-file=$1 yet"
  fi
  [ -z "$problem" ]
}
