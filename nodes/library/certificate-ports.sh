#!/usr/bin/env bash
# Part of every node document: what the ports of this node serve, and whether all that served before serves again.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# How long a process must have run that was started anew: with a kubeconfig that it cannot use it ends at once.
STEADY_TICKS=200

# reached_at <list of URLs>: host:port of the first that is TLS, as this node reaches it.
reached_at() {
  local url
  for url in ${1//,/ }; do
    if [[ $url == https://* ]]; then
      sed -e 's|^https://||; s|/.*||; s|^0\.0\.0\.0:|127.0.0.1:|; s|^\[::\]:|[::1]:|' <<<"$url"
      return
    fi
  done
}

# ports: `<leaf> <host:port> <leaf to ask with>` a line.
ports() {
  local at
  if [ -n "$apiserver_serves_at" ]; then printf 'apiserver %s -\n' "$apiserver_serves_at"; fi
  at=$(reached_at "${etcd_listen_client_urls:-$etcd_client_urls}")
  if [ -n "$at" ]; then printf 'etcd/server %s apiserver-etcd-client\n' "$at"; fi
  at=$(reached_at "${etcd_listen_peer_urls:-$etcd_peer_urls}")
  if [ -n "$at" ]; then printf 'etcd/peer %s etcd/peer\n' "$at"; fi
}

# served_by <host:port> <leaf to ask with, or ->: the fingerprint of what a new connection is given, or nothing. Whoever asks etcd without a
# certificate is told too, and etcd complains in its log; so it is asked with one, where that can be used, and with what follows in its file: by itself
# openssl shows the leaf alone, which etcd would refuse as long as it knows the authority before.
served_by() {
  local found=''
  if [ "$2" != - ] && [ -r "$pki/$2.key" ]; then found=$(ask_port "$1" -cert "$pki/$2.crt" -cert_chain "$pki/$2.crt" -key "$pki/$2.key"); fi
  printf %s "${found:-$(ask_port "$1")}"
}
ask_port() {
  local at=$1
  shift
  { timeout 3 openssl s_client -connect "$at" "$@" </dev/null 2>/dev/null || true; } | fingerprint
}

# etcd_refuses <host:port> <leaf>: whether etcd ends a connection with this client certificate. Without curl nobody can tell.
etcd_refuses() {
  local status
  command -v curl >/dev/null || return 1
  status=$(curl -q --insecure --silent --globoff --noproxy '*' --max-time 6 --cert "$pki/$2.crt" --key "$pki/$2.key" --output /dev/null \
    --write-out '%{http_code}' "https://$1/health") || true
  [ "${status:-000}" = 000 ]
}

# feeds <leaf> <what its port serves>: whether the port serves from the file of this name. A manifest says so; of what systemd runs it is known
# by what is served.
feeds() {
  local manifest='' flag named=''
  case $1 in
    apiserver) manifest=$apiserver_manifest flag=tls-cert-file ;;
    etcd/server) manifest=$etcd_manifest flag=cert-file ;;
    etcd/peer) manifest=$etcd_manifest flag=peer-cert-file ;;
  esac
  if [ -n "$manifest" ]; then
    named=$(manifest_flag "$manifest" "$flag")
    if [ -n "$named" ]; then named=$(host_path "$manifest" "$named"); fi
    [ -n "$named" ] && [ "$named" -ef "$pki/$1.crt" ]
  else
    [ -r "$pki/$1.crt" ] && [ "$2" = "$(fingerprint <"$pki/$1.crt")" ]
  fi
}

# serving_now: what serves before anything is changed, and so has to serve afterwards: `port <leaf> <host:port> <leaf>`, `ready`,
# `process <component>` a line. What is down already, as in a cluster whose certificates have all expired, keeps nothing back: it comes when
# the other nodes have theirs.
serving_now() {
  local leaf at with found component
  while read -r leaf at with; do
    found=$(served_by "$at" "$with")
    if [ -z "$found" ] || ! feeds "$leaf" "$found"; then continue; fi
    # Nor does who is refused now have to be let in later.
    if [ "$with" != - ] && etcd_refuses "$at" "$with"; then with=-; fi
    printf 'port %s %s %s\n' "$leaf" "$at" "$with"
  done < <(ports)
  ask_apiserver
  if [ -n "$apiserver_process" ] && [ "$apiserver_ready" != false ]; then printf 'ready\n'; fi
  for component in controller-manager scheduler; do
    find_component "$component"
    # One whose certificate has expired ends again and again, and its kubelet may wait five minutes before it starts it.
    if [ -n "$REPLY" ] && kubeconfig_certificate "$kubeconfigs/$component.conf" | openssl x509 -noout -checkend 0 >/dev/null 2>&1; then
      printf 'process %s\n' "$component"
    fi
  done
}

# started_at <process>: ticks since the machine started, field 22 of proc(5) stat; what stands before has a name in parentheses in it.
started_at() {
  local words
  { read -r words <"/proc/$1/stat"; } 2>/dev/null || return 1
  words=${words##*) }
  cut -d' ' -f20 <<<"$words"
}
# A tick is 10 ms on every Linux of today (getconf CLK_TCK).
ticks_now() {
  local up
  read -r up _ </proc/uptime
  printf '%s' "$((10#${up/./}))"
}

# is_older <process> <mark>: whether it was started before the mark was set. After a reboot everything is newer.
is_older() {
  local boot ticks started
  read -r boot ticks <"$2"
  started=$(started_at "$1") || return 1
  [ "$boot" = "$(</proc/sys/kernel/random/boot_id)" ] && [ "$started" -le "$ticks" ]
}

# all_serve <mark>: whether everything that served before serves what lies on the disk now; problem is what does not.
all_serve() {
  local kind leaf at with found
  problem=''
  while read -r kind leaf at with; do
    case $kind in
      port)
        found=$(served_by "$at" "$with")
        if [ "$found" != "$(fingerprint <"$pki/$leaf.crt")" ]; then
          problem="$at serves ${found:-nothing} and not $leaf.crt"
        elif [ "$with" != - ] && etcd_refuses "$at" "$with"; then
          problem="etcd at $at refuses $with.crt"
        else
          server_was_replaced "${leaf%%/*}" "$1"
        fi
        ;;
      ready)
        ask_apiserver
        if [ "$apiserver_ready" = false ]; then problem="kube-apiserver is not ready: $apiserver_because"; fi
        ;;
      process) if is_due "$leaf"; then component_serves "$leaf" "$1"; fi ;;
    esac
    if [ -n "$problem" ]; then return 1; fi
  done <"$record/before"
}

# server_was_replaced <apiserver|etcd> <mark>: problem when what was to be started again still runs.
server_was_replaced() {
  if ! is_due "$1"; then return 0; fi
  if [ "$1" = etcd ]; then find_etcd_process; else find_apiserver_process; fi
  if [ -n "$REPLY" ] && is_older "$REPLY" "$2"; then problem="$1 (process $REPLY) was told to end and still runs"; fi
}

# component_serves <component> <mark>
component_serves() {
  find_component "$1"
  if [ -z "$REPLY" ]; then
    problem="kube-$1 does not run again"
  elif is_older "$REPLY" "$2"; then
    problem="kube-$1 (process $REPLY) was told to end and still runs"
  elif [ $(($(ticks_now) - $(started_at "$REPLY" || ticks_now))) -lt "$STEADY_TICKS" ]; then
    problem="kube-$1 does not stay: process $REPLY was started just now"
  fi
}

# served_list: what every port serves at this moment, as JSON.
served_list() {
  local leaf at with found
  local -a all=()
  while read -r leaf at with; do
    found=$(served_by "$at" "$with")
    if [ -n "$found" ]; then all+=("$(object port "${at##*:}" sha256 "$(text "$found")")"); fi
  done < <(ports)
  list ${all[@]+"${all[@]}"}
}
