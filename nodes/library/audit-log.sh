#!/usr/bin/env bash
# Part of every node document: who was a client of this API server by a certificate, as its audit log tells.
# Sources: kubernetes staging/src/k8s.io/apiserver/pkg/authentication/request/x509 (credential-id, since 1.32), …/pkg/apis/audit/v1.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# So much of the log is read, the newest, and so many are told, the last ones.
AUDIT_BYTES=67108864
MOST_CLIENTS=10

# clients_in: of an audit log, `<how many more>`, then `<SHA-256 of the certificate> <last time> <address> <user>` a line with tabs between. Kubelets and
# components of the control plane are looked at themselves.
clients_in() {
  { grep -aF '"X509SHA256=' || true; } |
    { grep -avE '"user":\{"username":"system:(node:|kube-controller-manager"|kube-scheduler"|apiserver")' || true; } |
    awk -v most="$MOST_CLIENTS" '
      function after(start, found) {
        if (!match($0, start "([^\"\\\\]|\\\\.)*")) return ""
        found = substr($0, RSTART, RLENGTH)
        sub(start, "", found)
        return found
      }
      # Objects that were asked for come before it, and may have anything in them.
      function last_time(rest, found) {
        for (rest = $0; match(rest, /"stageTimestamp":"[^"\\]*"/); rest = substr(rest, RSTART + RLENGTH)) found = substr(rest, RSTART + 18, RLENGTH - 19)
        return found
      }
      {
        sha256 = after("\"X509SHA256=")
        at = last_time()
        address = after("\"sourceIPs\":\\[\"")
        user = after("\"username\":\"")
        if (length(sha256) != 64 || sha256 ~ /[^0-9a-f]/ || at !~ /^[0-9-]+T[0-9:.]+Z$/ || user == "") next
        gsub(/\\./, "?", user)
        last[sha256] = at "\t" (address == "" ? "-" : address) "\t" substr(user, 1, 80)
        line[sha256] = NR
      }
      END {
        count = 0
        for (key in last) count++
        print (count > most ? count - most : 0)
        for (told = 0; told < most && told < count; told++) {
          newest = ""
          for (key in line) if (newest == "" || line[key] > line[newest]) newest = key
          print newest "\t" last[newest]
          delete line[newest]
        }
      }'
}

# api_clients: the same as JSON; null where no audit log is kept in a file.
api_clients() {
  local log='' sha256 at address user more=0
  local -a all=()
  if [ -n "$apiserver_manifest" ]; then
    log=$(manifest_flag "$apiserver_manifest" audit-log-path)
    if [ -n "$log" ]; then log=$(host_path "$apiserver_manifest" "$log"); fi
  fi
  if [ ! -f "$log" ] || [ ! -r "$log" ]; then
    printf null
    return
  fi
  {
    read -r more || true
    while IFS=$'\t' read -r sha256 at address user; do
      at=$(date -d "$at" +%s 2>/dev/null) || continue
      all+=("$(object sha256 "$(text "$sha256")" user "$(text "$user")" address "$(text "$address")" lastAt "$at")")
    done
  } < <(tail -c "$AUDIT_BYTES" -- "$log" | clients_in)
  object seen "$(list ${all[@]+"${all[@]}"})" more "${more:-0}"
}
