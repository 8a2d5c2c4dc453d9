#!/usr/bin/env bash
# Part of every node document: what this node's etcd and kube-apiserver are, as their manifests or the systemd unit say.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# find_manifest <file>: manifest_at is in-place, kept, both or none; manifest_file the one to read; manifest_kept_by the restore
# that keeps it.
find_manifest() {
  local kept
  manifest_at=none
  manifest_file=''
  manifest_kept_by=''
  for kept in "$STATE/restores/"*/"manifests/$1"; do
    manifest_at=kept
    manifest_file=$kept
    kept=${kept%/manifests/*}
    manifest_kept_by=${kept##*/}
  done
  if [ -e "$LIFEBOAT_MANIFEST_DIR/$1" ]; then
    if [ "$manifest_at" = kept ]; then manifest_at=both; else manifest_at=in-place; fi
    manifest_file=$LIFEBOAT_MANIFEST_DIR/$1
  fi
}

# etcd_unit_is: enabled, disabled or another word of systemctl, which says by its exit code too that a unit is not enabled.
etcd_unit_is() { systemctl is-enabled etcd.service || true; }

# manifest_flag <manifest> <flag>: its value in a kubeadm-shaped manifest, where each word of the command has a line.
manifest_flag() { sed -n "s/^ *- *[\"']\{0,1\}--$2=\([^\"']*\)[\"']\{0,1\} *$/\1/p" "$1" | head -n 1; }

# host_path <manifest> <path in the container>: where it is on the node, by the longest mount above it; nothing when none is.
host_path() {
  awk -v wanted="$2" '
    function bare(value) { gsub(/^["\047]|["\047]$/, "", value); return value }
    function keep() { if (name != "") { if (section == "volumeMounts:") mount[name] = at; else host[name] = path }; name = at = path = "" }
    { match($0, /^ */); indent = RLENGTH; line = substr($0, indent + 1) }
    line ~ /^(volumeMounts|volumes): *$/ { keep(); section = line; sub(/ *$/, "", section); base = indent; next }
    section != "" && line !~ /^-/ && indent <= base { keep(); section = "" }
    section == "" { next }
    line ~ /^- / && indent <= base + 2 { keep(); sub(/^- +/, "", line) }
    {
      split_at = index(line, ":"); key = substr(line, 1, split_at - 1); value = substr(line, split_at + 1); gsub(/^ +| +$/, "", value)
      if (key == "name") name = bare(value); else if (key == "mountPath") at = bare(value); else if (key == "path") path = bare(value)
    }
    END {
      keep()
      for (each in mount) if ((wanted == mount[each] || index(wanted, mount[each] "/") == 1) && length(mount[each]) > length(mount[best])) best = each
      if (best != "") print host[best] substr(wanted, length(mount[best]) + 1)
    }' "$1"
}

has_unit() { command -v systemctl >/dev/null && [ "$(systemctl show etcd.service --property=LoadState --value)" = loaded ]; }

# unit_words: the command line and the environment of etcd.service, a word a line.
unit_words() {
  local files file
  systemctl show etcd.service --property=ExecStart --value | sed -n 's/.*argv\[\]=\(.*\) ; ignore_errors=.*/\1/p' | tr ' ' '\n'
  systemctl show etcd.service --property=Environment --value | tr ' ' '\n'
  files=$(systemctl show etcd.service --property=EnvironmentFiles --value | sed 's/ (ignore_errors=[a-z]*)//')
  for file in $files; do if [ -r "$file" ]; then sed "s/^export //; s/[\"']//g" "$file"; fi; done
}

# unit_flag <words> <flag>: as etcd reads it: from its configuration file alone when there is one, else from the command line, else from
# the environment.
unit_flag() {
  local words=$1 flag=$2 variable file value
  file=$(sed -n 's/^\(--config-file\|ETCD_CONFIG_FILE\)=//p' <<<"$words" | head -n 1)
  if [ -n "$file" ]; then
    sed -n "s/^$flag: *[\"']\{0,1\}\([^\"'#]*[^\"'# ]\).*/\1/p" "$file" | head -n 1
    return
  fi
  variable=ETCD_$(tr 'a-z-' 'A-Z_' <<<"$flag")
  value=$(sed -n "s/^--$flag=//p" <<<"$words" | head -n 1)
  # shellcheck disable=SC2016 # systemd's own ${NAME} on the command line
  if [ -z "$value" ] || [[ $value == '$'* ]]; then value=$(sed -n "s/^$variable=//p" <<<"$words" | head -n 1); fi
  printf '%s\n' "$value"
}

unit_was_kept_by() {
  local kept
  for kept in "$STATE/restores/"*/unit-was; do
    kept=${kept%/unit-was}
    printf '%s' "${kept##*/}"
  done
}

first_of() { printf '%s' "${1%%,*}"; }

# describe_etcd: sets everything that the documents ask of etcd here.
describe_etcd() {
  local words=''
  etcd_runs=absent
  etcd_image='' etcd_program='' data_dir=''
  find_manifest etcd.yaml
  etcd_at=$manifest_at etcd_manifest=$manifest_file etcd_kept_by=$manifest_kept_by
  if [ -n "$etcd_manifest" ]; then
    etcd_runs=static-pod
    etcd_image=$(sed -n "s/^ *\(- \)\{0,1\}image: *[\"']\{0,1\}\([^\"' ]*\).*/\2/p" "$etcd_manifest" | head -n 1)
  elif has_unit; then
    etcd_runs=systemd
    words=$(unit_words)
    etcd_program=$(head -n 1 <<<"$words")
    etcd_kept_by=$(unit_was_kept_by)
    if [ -n "$etcd_kept_by" ]; then etcd_at=kept; else etcd_at=in-place; fi
  fi
  flag() {
    case $etcd_runs in
      static-pod) manifest_flag "$etcd_manifest" "$1" ;;
      systemd) unit_flag "$words" "$1" ;;
    esac
  }
  etcd_name=$(flag name)
  etcd_inner_dir=$(flag data-dir)
  etcd_wal_dir=$(flag wal-dir)
  etcd_peer_urls=$(flag initial-advertise-peer-urls)
  etcd_client_urls=$(flag advertise-client-urls)
  etcd_client_url=$(first_of "$etcd_client_urls")
  etcd_listen_client_urls=$(flag listen-client-urls)
  etcd_listen_peer_urls=$(flag listen-peer-urls)
  case $etcd_runs in
    static-pod) if [ -n "$etcd_inner_dir" ]; then data_dir=$(host_path "$etcd_manifest" "$etcd_inner_dir"); fi ;;
    systemd) data_dir=$etcd_inner_dir ;;
  esac
  find_etcd_version
}

# find_etcd_version: of the image's tag, else of the program itself.
find_etcd_version() {
  etcd_version=$(sed -n 's/.*:v\{0,1\}\([0-9][0-9]*\.[0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$etcd_image")
  if [ -z "$etcd_version" ] && [ -x "$etcd_program" ]; then
    # The program may be a script that starts a container, and fail.
    etcd_version=$("$etcd_program" --version | sed -n 's/^etcd Version: //p') || true
  fi
}

# describe_apiserver: apiserver_words are those that tell its process from another's, apiserver_serves_at where this node reaches it.
describe_apiserver() {
  local name value host port
  find_manifest kube-apiserver.yaml
  apiserver_at=$manifest_at apiserver_manifest=$manifest_file apiserver_kept_by=$manifest_kept_by
  apiserver_words=() apiserver_serves_at=''
  [ -n "$apiserver_manifest" ] || return 0
  for name in advertise-address bind-address secure-port; do
    value=$(manifest_flag "$apiserver_manifest" "$name")
    if [ -n "$value" ]; then apiserver_words+=("--$name=$value"); fi
  done
  host=$(manifest_flag "$apiserver_manifest" bind-address)
  port=$(manifest_flag "$apiserver_manifest" secure-port)
  case $host in
    '' | 0.0.0.0 | ::) host=127.0.0.1 ;;
    *:*) host="[$host]" ;;
  esac
  apiserver_serves_at=$host:${port:-6443}
}

# require_member: ends the document unless etcd is here and its data can be told.
require_member() {
  describe_etcd
  describe_apiserver
  if [ "$etcd_runs" = absent ]; then
    fail EtcdAbsent "neither $LIFEBOAT_MANIFEST_DIR/etcd.yaml nor a systemd unit etcd.service is on this node" \
      'name the folder of the static-pod manifests in nodes.manifestDir, or leave this node out'
  fi
  if [ -z "$data_dir" ] || [ -z "$etcd_name" ] || [ -z "$etcd_peer_urls" ]; then
    fail MemberUnclear "name \"$etcd_name\", data directory \"$data_dir\", peer URLs \"$etcd_peer_urls\": one of them is not to be found in $etcd_runs etcd" \
      'give etcd --name, --data-dir (on a hostPath volume) and --initial-advertise-peer-urls, each as a word of its own'
  fi
  if [ "$data_dir" != "$LIFEBOAT_DATA_DIR" ]; then
    fail DataDirDiffers "etcd keeps its data in $data_dir, and the config says $LIFEBOAT_DATA_DIR" 'set nodes.etcdDataDir to what etcd uses'
  fi
  if [ -n "$etcd_wal_dir" ]; then
    fail SeparateWalDir "etcd keeps its log apart in $etcd_wal_dir, which this document cannot exchange together with the data" \
      'move the log into the data directory (remove --wal-dir), or restore by hand'
  fi
}

# require_own: ends the document when another restore holds what this one wants to change.
require_own() {
  local by
  for by in $etcd_kept_by $apiserver_kept_by; do
    if [ "$by" != "$LIFEBOAT_RESTORE_ID" ]; then
      fail OtherRestore "restore $by has stopped parts of this node and has not started them again" \
        "finish it first: run start or roll-back with restore id $by"
    fi
  done
}
