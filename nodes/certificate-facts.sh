#!/usr/bin/env bash
# Tells what certificates this node has, what they are for and whether each fits its key. Changes nothing, waits for nobody, asks no API server
# but for what kubeadm remembers. What it gives back is public.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

# Run Command gives back the first 24,000 characters of stdout.
MOST=23000

require_tools openssl tar base64 gzip
name_certificates
describe_etcd
describe_apiserver
make_scratch facts
mkdir -p -- "$scratch/pki/etcd" "$scratch/kubeconfigs"

wants_part() { [ "$LIFEBOAT_PART" = all ] || [ "$LIFEBOAT_PART" = "$1" ]; }
# The authorities first and what repeats them soon after: gzip finds again what lies within 32 KiB.
paths=()
add() {
  if [ ! -s "$scratch/$1" ]; then return 0; fi
  paths+=("$1")
}
if wants_part pki; then
  for name in $AUTHORITIES $LEAVES; do
    if [ ! -r "$pki/$name.crt" ]; then continue; fi
    certificate_blocks <"$pki/$name.crt" >"$scratch/pki/$name.crt"
    add "pki/$name.crt"
  done
  if [ -r "$pki/sa.pub" ]; then public_keys <"$pki/sa.pub" >"$scratch/pki/sa.pub" || true; fi
  add pki/sa.pub
fi
if wants_part kubeconfigs; then
  for name in $KUBECONFIGS; do
    if [ ! -r "$kubeconfigs/$name" ]; then continue; fi
    kubeconfig_authority "$kubeconfigs/$name" >"$scratch/kubeconfigs/$name.ca.crt"
    kubeconfig_certificate "$kubeconfigs/$name" >"$scratch/kubeconfigs/$name.crt"
    kubeconfig_field "$kubeconfigs/$name" server >"$scratch/kubeconfigs/$name.server"
    for file in ca.crt crt server; do add "kubeconfigs/$name.$file"; done
  done
fi
# Only for the names that clients may use: where the API is down the certificates themselves say enough.
if command -v kubectl >/dev/null && [ -r "$kubeconfigs/admin.conf" ]; then
  timeout 5 kubectl --kubeconfig "$kubeconfigs/admin.conf" --request-timeout=5s --namespace kube-system get configmap kubeadm-config \
    -o 'jsonpath={.data.ClusterConfiguration}' >"$scratch/kubeadm-config.yaml" 2>/dev/null </dev/null || rm -f -- "$scratch/kubeadm-config.yaml"
  add kubeadm-config.yaml
fi
if grep -rql 'PRIVATE KEY' "$scratch"; then exit 1; fi
if [ "${#paths[@]}" = 0 ]; then
  # An empty archive is no error: a node may have lost all.
  tar -cf - -T /dev/null | gzip -9n >"$scratch/archive"
else
  pack "$scratch" "$scratch/archive" "${paths[@]}"
fi

pairs=()
for name in $LEAVES; do if [ -r "$pki/$name.crt" ]; then pairs+=("$name" "$(text "$(pair_is "$pki/$name")")"); fi; done
for name in $KUBECONFIGS; do
  if [ -r "$kubeconfigs/$name" ]; then pairs+=("$name" "$(text "$(kubeconfig_pair_is "$kubeconfigs/$name")")"); fi
done

# urls_of <a,b>
urls_of() {
  local -a urls=() found=()
  local url
  IFS=, read -r -a urls <<<"$1"
  for url in ${urls[@]+"${urls[@]}"}; do found+=("$(text "$url")"); done
  list ${found[@]+"${found[@]}"}
}
of_apiserver() { text_or_null "$(manifest_flag "$apiserver_manifest" "$1")"; }
apiserver_facts=null
if [ -n "$apiserver_manifest" ]; then
  port=$(manifest_flag "$apiserver_manifest" secure-port)
  apiserver_facts=$(object advertiseAddress "$(of_apiserver advertise-address)" bindAddress "$(of_apiserver bind-address)" \
    securePort "${port:-6443}" serviceSubnet "$(of_apiserver service-cluster-ip-range)")
fi
find_signer
signer=null
if [ "$signer_is" != none ]; then
  split=$([ "$signer_is" = own ] && printf true || printf false)
  signer=$(object certSha256 "$(text_or_null "$(signer_fingerprint)")" split "$split")
fi
of_manager() { if [ -e "$manager" ]; then text_or_null "$(manifest_flag "$manager" "$1")"; else printf null; fi; }
# leads_to <manifest> <flag> <file>: whether a component reads this file by that flag.
# shellcheck disable=SC2329 # called by yes_or_no
leads_to() {
  local named
  named=$(manifest_flag "$1" "$2")
  if [ -n "$named" ]; then named=$(host_path "$1" "$named"); fi
  [ -n "$named" ] && [ "$named" -ef "$3" ]
}
# shellcheck disable=SC2329 # called by yes_or_no
apiserver_reads_accounts() {
  leads_to "$apiserver_manifest" service-account-key-file "$pki/sa.pub" && leads_to "$apiserver_manifest" service-account-signing-key-file "$pki/sa.key"
}
account_files=(apiserver null controllerManager null)
if [ -n "$apiserver_manifest" ]; then account_files[1]=$(yes_or_no apiserver_reads_accounts); fi
if [ -e "$manager" ]; then account_files[3]=$(yes_or_no leads_to "$manager" service-account-private-key-file "$pki/sa.key"); fi
# shellcheck disable=SC2329 # called by yes_or_no
component_runs() { find_component "$1" && [ -n "$REPLY" ]; }
# process_facts: what runs and since when. A tick is 10 ms; one less, since the clocks are read one after the other: rather too early than too late.
process_facts() {
  local component ticks
  local -a all=()
  for component in apiserver etcd controller-manager scheduler kubelet; do
    case $component in
      # One a machine, and no flag of it tells whose it is.
      kubelet)
        find_processes kubelet
        REPLY=${REPLY# }
        REPLY=${REPLY%% *}
        ;;
      # Without a manifest nothing tells it from any other.
      apiserver) if [ -n "$apiserver_manifest" ]; then find_apiserver_process; else REPLY=''; fi ;;
      etcd) find_etcd_process ;;
      *) find_component "$component" ;;
    esac
    if [ -z "$REPLY" ] || ! ticks=$(started_at "$REPLY"); then continue; fi
    ticks=$(($(date +%s%2N) - $(ticks_now) + ticks - 1))
    all+=("$(object component "$(text "$component")" startedAt "${ticks%??}.${ticks: -2}")")
  done
  list ${all[@]+"${all[@]}"}
}
# written_facts: when each file was written, by its inode, since what is put back keeps the time of its content, and a rename counts.
written_facts() {
  local name file at
  local -a all=()
  for name in $AUTHORITIES $LEAVES $KUBECONFIGS sa.pub sa.key; do
    file=$pki/$name.crt
    case $name in *.conf) file=$kubeconfigs/$name ;; sa.*) file=$pki/$name ;; esac
    at=$(stat -L -c %.2Z -- "$file" 2>/dev/null) || continue
    all+=("$name" "$at")
  done
  object ${all[@]+"${all[@]}"}
}
tools=()
for tool in openssl aws curl tar base64 gzip; do tools+=("$tool" "$(yes_or_no eval "command -v $tool >/dev/null")"); done

facts=(host "$(text "$(uname -n)")" nodeName "$(text "$(node_name)")" clock "$(date +%s)"
  apiserver "$apiserver_facts"
  etcd "$(object runs "$(text "$etcd_runs")" clientUrls "$(urls_of "$etcd_client_urls")" peerUrls "$(urls_of "$etcd_peer_urls")" \
    listenClientUrls "$(urls_of "$etcd_listen_client_urls")" listenPeerUrls "$(urls_of "$etcd_listen_peer_urls")")"
  controllerManager "$(object running "$(yes_or_no component_runs controller-manager)" signingCertFile "$(of_manager cluster-signing-cert-file)" \
    rootCaFile "$(of_manager root-ca-file)")"
  scheduler "$(object running "$(yes_or_no component_runs scheduler)")" signer "$signer" processes "$(process_facts)"
  written "$(written_facts)" accountFiles "$(object "${account_files[@]}")"
  archive "\"$(base64 -w 0 <"$scratch/archive")\"" pairs "$(object ${pairs[@]+"${pairs[@]}"})"
  authorityKeys "$(object cluster "$(yes_or_no authority_fits "$pki/ca")" etcd "$(yes_or_no authority_fits "$pki/etcd/ca")" \
    frontProxy "$(yes_or_no authority_fits "$pki/front-proxy-ca")" serviceAccounts "$(yes_or_no service_accounts_fit)")"
  kubelet "$(text "$(kubelet_conf_is)")" installed "$(text_or_null "$(cat "$STATE/certificates/installed" 2>/dev/null || true)")"
  tools "$(object "${tools[@]}")" etcdRefused "$(refused_by_etcd)" apiClients "$(api_clients)")
answer=$(object "${facts[@]}")
# Rather certificates than clients, and whoever was refused.
for back in 1 3; do
  if [ "${#answer}" -ge "$MOST" ]; then
    facts[${#facts[@]} - back]=null
    answer=$(object "${facts[@]}")
  fi
done
if [ "${#answer}" -ge "$MOST" ]; then
  fail FactsTooLarge "what this node has to tell is ${#answer} characters long, and Run Command gives back 24,000" \
    'run this twice, with part pki and with part kubeconfigs'
fi
succeed "${facts[@]}"
