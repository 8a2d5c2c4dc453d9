#!/usr/bin/env bash
# Part of every node document: the certificates of a kubeadm-shaped node, and whether each fits its key.
# Sources: kubernetes cmd/kubeadm/app/phases/certs/certlist.go, …/kubeconfig/kubeconfig.go.
# No private key is ever printed: it goes through a pipe into openssl, which gives its public half.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

LEAVES='apiserver apiserver-kubelet-client apiserver-etcd-client front-proxy-client etcd/server etcd/peer etcd/healthcheck-client'
AUTHORITIES='ca etcd/ca front-proxy-ca'
KUBECONFIGS='admin.conf super-admin.conf controller-manager.conf scheduler.conf kubelet.conf'

# name_certificates: pki is the folder of the certificates, kubeconfigs that of the kubeconfigs.
name_certificates() {
  pki=$LIFEBOAT_PKI_DIR
  kubeconfigs=$(dirname -- "$pki")
  kubelet_pair=$LIFEBOAT_KUBELET_DIR/pki/kubelet-client-current.pem
}

# certificate_blocks: of what comes in, the certificates alone, without the text around them. The kubelet has its key in the same file.
certificate_blocks() {
  awk '{ sub(/\r$/, "") }
    /^-----BEGIN CERTIFICATE-----$/ { on = 1 }
    /^-----/ && !/ CERTIFICATE-----$/ { on = 0 }
    on { print }
    /^-----END CERTIFICATE-----$/ { on = 0 }'
}

# Of what comes in; nothing when that is none. An encrypted key is none: nobody is there to be asked for its password.
public_of_certificate() { openssl x509 -noout -pubkey 2>/dev/null || true; }
public_of_key() { openssl pkey -pubout -passin pass: 2>/dev/null || true; }
fingerprint() {
  local found
  found=$(openssl x509 -noout -fingerprint -sha256 2>/dev/null) || return 0
  found=${found#*=}
  found=${found//:/}
  printf %s "${found,,}"
}

# pair_of <public half of the certificate> <that of the key>
pair_of() {
  if [ -z "$2" ]; then printf no-key; elif [ "$1" = "$2" ]; then printf matches; else printf differs; fi
}

# pair_is <path without .crt and .key>: matches, differs or no-key.
pair_is() {
  local key=''
  if [ -r "$1.key" ]; then key=$(public_of_key <"$1.key"); fi
  pair_of "$(public_of_certificate <"$1.crt")" "$key"
}

# kubeconfig_field <file> <field>: its first value. kubeadm writes one cluster and one user into each.
kubeconfig_field() { sed -n "/^[ -]*$2:/{s/^[ -]*$2: *[\"']\{0,1\}\([^\"' ]*\)[\"']\{0,1\} *\$/\1/p;q;}" "$1"; }

# kubeconfig_content <file> <field>: what the field holds, or what the file holds that it names.
kubeconfig_content() {
  local data file
  data=$(kubeconfig_field "$1" "$2-data")
  if [ -n "$data" ]; then
    base64 -d 2>/dev/null <<<"$data" || true
    return
  fi
  file=$(kubeconfig_field "$1" "$2")
  if [ -z "$file" ]; then return; fi
  if [[ $file != /* ]]; then file=$(dirname -- "$1")/$file; fi
  if [ -r "$file" ]; then cat -- "$file"; fi
}
kubeconfig_certificate() { kubeconfig_content "$1" client-certificate | certificate_blocks; }
kubeconfig_authority() { kubeconfig_content "$1" certificate-authority | certificate_blocks; }
kubeconfig_pair_is() { pair_of "$(kubeconfig_certificate "$1" | public_of_certificate)" "$(kubeconfig_content "$1" client-key | public_of_key)"; }

# kubelet_conf_is: refers, embeds or absent.
kubelet_conf_is() {
  local file=$kubeconfigs/kubelet.conf
  if [ ! -r "$file" ]; then
    printf absent
  elif [ -n "$(kubeconfig_field "$file" client-certificate-data)" ]; then
    printf embeds
  else
    printf refers
  fi
}

# node_name: by which the API server knows its kubelet.
node_name() {
  local name='' file=$kubeconfigs/kubelet.conf
  if [ -r "$file" ]; then
    name=$(kubeconfig_certificate "$file" | openssl x509 -noout -subject -nameopt RFC2253 2>/dev/null | sed -n 's/.*CN=system:node:\([^,+]*\).*/\1/p' || true)
    if [ -z "$name" ]; then name=$(sed -n '/system:node:/{s/.*system:node:\([A-Za-z0-9.-]*\).*/\1/p;q;}' "$file"); fi
  fi
  printf '%s' "${name:-${etcd_name:-$(uname -n)}}"
}

# each_block <how one begins> <command>: what the command makes of every block of PEM that begins so, of what comes in.
each_block() {
  awk -v begin="$1" -v command="$2" '$0 ~ begin { into = command }
    into != "" { print | into }
    /^-----END / && into != "" { close(into); into = "" }'
}
# public_keys_of_bundle: of what comes in, the public key of every certificate there is.
public_keys_of_bundle() { each_block '^-----BEGIN CERTIFICATE-----' 'openssl x509 -noout -pubkey 2>/dev/null'; }
accepted_in() { if [[ $1 == *.pub ]]; then public_keys <"$1"; else public_keys_of_bundle <"$1"; fi; }
# keeps_distrusted <record of a set>: whether it keeps the key of an authority, or of service accounts, that nothing on this node accepts any more.
keeps_distrusted() {
  local name file public
  for name in $AUTHORITIES signer/ca sa; do
    file=$pki/${name#signer/}.crt
    if [ "$name" = sa ]; then file=$pki/sa.pub; fi
    if [ ! -r "$1/previous/pki/$name.key" ] || [ ! -r "$file" ]; then continue; fi
    public=$(public_of_key <"$1/previous/pki/$name.key")
    if [[ $(accepted_in "$file") != *"$public"* ]]; then return 0; fi
  done
  return 1
}

# authority_fits <path without .crt and .key>: whether its key lies there and is its own.
authority_fits() { [ -r "$1.crt" ] && [ "$(pair_is "$1")" = matches ]; }
# public_keys: of what comes in, every public key there is, one block each as openssl writes it.
public_keys() { each_block '^-----BEGIN (RSA )?PUBLIC KEY-----' 'openssl pkey -pubin -pubout 2>/dev/null'; }
# service_accounts_fit: whether the key by which tokens are signed lies there, and its own public key is the first of those that verify.
service_accounts_fit() {
  local public
  [ -r "$pki/sa.pub" ] && [ -r "$pki/sa.key" ] || return 1
  public=$(openssl pkey -pubin -pubout <"$pki/sa.pub" 2>/dev/null || true)
  [ -n "$public" ] && [ "$public" = "$(public_of_key <"$pki/sa.key")" ]
}

# find_component <controller-manager|scheduler>: REPLY is the id of this node's process, or nothing. The kernel keeps 15 letters of a name.
find_component() {
  local manifest=$LIFEBOAT_MANIFEST_DIR/kube-$1.yaml name=kube-$1 flag value pid
  local -a words=()
  REPLY=''
  [ -e "$manifest" ] || return 0
  for flag in kubeconfig bind-address secure-port; do
    value=$(manifest_flag "$manifest" "$flag")
    if [ -n "$value" ]; then words+=("--$flag=$value"); fi
  done
  find_processes "${name:0:15}"
  for pid in $REPLY; do
    if has_words "$pid" ${words[@]+"${words[@]}"}; then
      REPLY=$pid
      return
    fi
  done
  REPLY=''
}

# pack <folder> <archive> <path> …: the same bytes for the same files, so that what is sent twice is the same.
pack() {
  local folder=$1 archive=$2
  shift 2
  tar -C "$folder" --owner=0 --group=0 --mode=u=rwX,go= --mtime=@0 --format=ustar -cf - -- "$@" | gzip -9n >"$archive"
}
