#!/usr/bin/env bash
# Part of every node document: whom etcd refused, as its log tells.
# Sources: etcd server/embed/config_logging.go (3.5, 3.6), kubernetes pkg/kubelet/kuberuntime (names of the files), CRI's format of a line.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# So much of the log is read, the newest, and so many that were refused are told, the last ones.
LOG_BYTES=4194304
MOST_REFUSED=8

# find_etcd_log: log_is is files (log_files, the newest last), journal, or none.
find_etcd_log() {
  local named=''
  log_is=none
  log_files=()
  case $etcd_runs in
    static-pod)
      named=$(manifest_flag "$etcd_manifest" log-outputs)
      if [[ $named == /* ]]; then named=$(host_path "$etcd_manifest" "$named"); fi
      ;;
    systemd) named=$(unit_flag "$(unit_words)" log-outputs) ;;
  esac
  if [[ $named == /* && -f $named ]]; then
    log_files=("$named")
  elif [ "$etcd_runs" = static-pod ]; then
    # The kubelet keeps the log of the container before, and what it turned over; older ones it packs.
    mapfile -t log_files < <(stat -L -c '%Y %n' -- "$LIFEBOAT_POD_LOG_DIR"/kube-system_etcd-*_*/etcd/*.log{,.[0-9]*[0-9]} 2>/dev/null |
      sort -n | tail -n 3 | cut -d ' ' -f 2-)
  elif [ "$etcd_runs" = systemd ] && [ -n "$(journal_of_etcd 1)" ]; then
    log_is=journal
  fi
  if [ -f "${log_files[0]:-}" ] && [ -r "${log_files[0]}" ]; then log_is=files; fi
}

# journal_of_etcd <lines>
journal_of_etcd() { timeout 10 journalctl --unit=etcd.service --output=cat --quiet --no-pager --lines="$1" 2>/dev/null || true; }

etcd_log() {
  case $log_is in
    files) tail -q -c "$LOG_BYTES" -- "${log_files[@]}" 2>/dev/null || true ;;
    journal) journal_of_etcd 20000 ;;
  esac | tail -c "$LOG_BYTES"
}

# refused_in: of a log, who was refused for a certificate: `<how many more>`, then `<port> <address> <times> <first> <last> <error>` a line with
# tabs between. Who shows no certificate, speaks no TLS or ends in the midst of it is a probe, and is left out. A client of OpenSSL that does not
# trust what it is served by TLS 1.3 says so without the keys of the connection: etcd calls that a bad record MAC.
refused_in() {
  awk -v most="$MOST_REFUSED" '
    function value(name, found) {
      if (!match($0, "\"" name "\": ?\"([^\"\\\\]|\\\\.)*\"")) return ""
      found = substr($0, RSTART, RLENGTH - 1)
      sub("^\"" name "\": ?\"", "", found)
      return found
    }
    !/rejected connection/ { next }
    # Docker has each line as a string of JSON.
    /^\{"log":"/ { gsub(/\\\\\\"/, "\047"); gsub(/\\"/, "\"") }
    {
      error = value("error")
      if (error !~ /x509: |tls: (bad|unknown|unsupported|revoked|expired) certificate|bad record MAC|does not match any of DNSNames/) next
      if (!match($0, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:.]+(Z|[-+][0-9][0-9]:?[0-9][0-9])/)) next
      at = substr($0, RSTART, RLENGTH)
      port = /rejected connection on peer endpoint/ ? "peer" : /rejected connection on client endpoint/ ? "client" : "unknown"
      address = value("remote-addr")
      sub(/:[0-9]+$/, "", address)
      gsub(/[][]/, "", address)
      if (address == "") next
      # What is another each time would make another of everybody.
      sub(/: current time .*| \(possibly because of .*/, "", error)
      gsub(/\\"/, "\047", error)
      gsub(/\\./, " ", error)
      key = port "\t" address "\t" substr(error, 1, 120)
      if (!(key in times)) first[key] = at
      times[key]++
      last[key] = at
      line[key] = NR
    }
    END {
      count = 0
      for (key in times) count++
      print (count > most ? count - most : 0)
      for (told = 0; told < most && told < count; told++) {
        newest = ""
        for (key in line) if (newest == "" || line[key] > line[newest]) newest = key
        split(newest, part, "\t")
        print part[1] "\t" part[2] "\t" times[newest] "\t" first[newest] "\t" last[newest] "\t" part[3]
        delete line[newest]
      }
    }'
}

# refused_by_etcd: the same as JSON; null where no log is found.
refused_by_etcd() {
  local port address times first last error more=0
  local -a all=()
  find_etcd_log
  if [ "$log_is" = none ]; then
    printf null
    return
  fi
  {
    read -r more || true
    while IFS=$'\t' read -r port address times first last error; do
      # What looks like a time may be none.
      first=$(date -d "$first" +%s 2>/dev/null) || continue
      last=$(date -d "$last" +%s 2>/dev/null) || continue
      all+=("$(object port "$(text "$port")" address "$(text "$address")" times "$times" \
        firstAt "$first" lastAt "$last" error "$(text "$error")")")
    done
  } < <(etcd_log | refused_in)
  object refused "$(list ${all[@]+"${all[@]}"})" more "${more:-0}"
}
