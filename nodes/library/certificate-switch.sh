#!/usr/bin/env bash
# Part of every node document: putting a set of certificates in place, and what was there before back.
# The record of a version tells by itself how far it came, also after a power cut:
#   new/       checked and complete, not yet all in place     changed, absent  what it replaces, and what of that was not there
#   previous/  exact copies of what it replaces               before           what served then
#   going-back why it is undone: from then on it never goes on
#   restarts   what is started again when what it trusts changes
#   outcome    installed, and nothing is under way any more
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

KEEP_PREVIOUS=2

# begin_certificates: what every document does first that changes certificates.
begin_certificates() {
  local other
  take_lock
  forget_keys
  require_tools openssl tar base64 gzip
  name_certificates
  describe_etcd
  describe_apiserver
  if [ -n "$etcd_kept_by$apiserver_kept_by" ]; then
    fail RestoreInProgress 'a restore has stopped parts of this node and has not started them again' 'finish it first: run start or roll-back'
  fi
  make_dir "$STATE/certificates"
  record=$STATE/certificates/$LIFEBOAT_SECRET_VERSION
  for other in "$STATE/certificates/.removed-"*; do remove_tree "$other"; done
  for other in "$STATE/certificates/"*/; do
    other=${other%/}
    # Cut off before it touched anything: all that it holds is new keys.
    if [ ! -e "$other/previous" ]; then
      drop_record "$other"
    elif [ "$other" != "$record" ] && [ ! -e "$other/outcome" ]; then
      fail CertificatesInProgress "version ${other##*/} was cut off half way on this node" \
        "finish it first: run install-certificates or previous-certificates with version ${other##*/}"
    fi
  done
}

# find_record_state: record_state is absent, switching, going-back or installed. Installed is what was installed last.
find_record_state() {
  if [ -e "$record/going-back" ]; then
    record_state=going-back
  elif [ ! -e "$record/previous" ]; then
    record_state=absent
  elif [ ! -e "$record/outcome" ]; then
    record_state=switching
  elif [ "$(cat "$STATE/certificates/installed" 2>/dev/null)" = "$LIFEBOAT_SECRET_VERSION" ]; then
    record_state=installed
  else
    record_state=absent
  fi
}

# drop_record <record>: by a rename first: half a record would tell something else.
drop_record() {
  local removed
  if [ ! -e "$1" ]; then return 0; fi
  removed=$STATE/certificates/.removed-${1##*/}
  if [ -e "$removed" ]; then remove_tree "$removed"; fi
  rename "$1" "$removed"
  remove_tree "$removed"
}

# find_target <path in a set>: target is the file itself, where a link leads to: its folder is watched, and no link ever changes.
find_target() {
  case $1 in
    pki/*) target=$pki/${1#pki/} ;;
    kubelet/*) target=$kubelet_pair ;;
    *) target=$kubeconfigs/${1#kubeconfigs/} ;;
  esac
  target=$(readlink -m -- "$target")
  aside=${target%/*}/.lifeboat-aside/${target##*/}
}

# name_of <path in a set>: as results have it.
name_of() {
  local name=${1#*/}
  if [[ $1 == kubelet/* ]]; then name=kubelet.conf; fi
  name=${name%.crt}
  name=${name%.pub}
  printf %s "${name%.key}"
}
changed_names() {
  local item
  while IFS= read -r item; do
    name_of "$item"
    printf '\n'
  done <"$record/changed" | uniq
}
changed_list() {
  local name
  local -a all=()
  while IFS= read -r name; do all+=("$(text "$name")"); done < <(changed_names)
  list ${all[@]+"${all[@]}"}
}
# is_due <component>: whether it has to be started again. Managers read their kubeconfigs once; etcd and kube-apiserver read whom they trust
# among etcd's once, and only the set knows when that matters. The keys of service accounts are always read at a start alone
# (kubernetes pkg/controlplane/apiserver/options, cmd/kube-controller-manager/app/core.go).
is_due() {
  if [ "$1" = apiserver ] && grep -qx -- 'pki/sa\.\(key\|pub\)' "$record/changed"; then return 0; fi
  if [ "$1" = controller-manager ] && grep -qxF -- 'pki/sa.key' "$record/changed"; then return 0; fi
  case $1 in
    apiserver | etcd) grep -qxF -- "$1" "$record/restarts" 2>/dev/null && grep -qx -- 'pki/\(ca\|etcd/ca\|front-proxy-ca\)\.crt' "$record/changed" ;;
    kubelet) grep -qx -- 'kubeconfigs/kubelet.conf\|kubelet/client.pem' "$record/changed" ;;
    *) grep -qxF -- "kubeconfigs/$1.conf" "$record/changed" ;;
  esac
}

require_room_for() {
  local needed=$(($(bytes_of "$1") * 4 + 1024 * 1024)) place
  for place in "$STATE" "$pki"; do
    if [ "$(free_bytes "$place")" -lt "$needed" ]; then
      fail NoSpace "$place has $(free_bytes "$place") bytes free and $needed are needed" 'free that much there, and run this again'
    fi
  done
}

# keep_previous: everything that has to be known later, complete before the folder has its name.
keep_previous() {
  local item
  rm -rf -- "$record/previous.part"
  mkdir -p -- "$record/previous.part"
  : >"$record/changed"
  : >"$record/absent"
  while IFS= read -r item; do
    if [ ! -e "$record/new/$item" ]; then continue; fi
    find_target "$item"
    if [ -e "$target" ] && same_content "$record/new/$item" "$target"; then continue; fi
    printf '%s\n' "$item" >>"$record/changed"
    if [ ! -e "$target" ]; then
      printf '%s\n' "$item" >>"$record/absent"
      continue
    fi
    mkdir -p -- "$record/previous.part/${item%/*}"
    cp --preserve=all -- "$target" "$record/previous.part/$item"
    sync -- "$record/previous.part/$item"
  done < <(names_of_set)
  serving_now >"$record/before"
  cat "$STATE/certificates/installed" >"$record/installed-before" 2>/dev/null || true
  sync -- "$record/changed" "$record/absent" "$record/before" "$record/installed-before"
  rename "$record/previous.part" "$record/previous"
}

# prepare_aside <file>: a whole copy beside the target, with the owner and mode of what is there.
prepare_aside() {
  if [ "${1#"$record/previous/"}" != "$1" ]; then
    cp --preserve=all -- "$1" "$aside"
  else
    # For root alone until it has the mode of the other.
    cp -- "$1" "$aside"
    if [ -e "$target" ]; then
      give_like "$aside" "$target"
      chmod --reference="$target" -- "$aside"
    else
      give_like "$aside" "${target%/*}"
      if [[ $target == *.crt ]]; then chmod 644 -- "$aside"; fi
    fi
  fi
  sync -- "$aside"
}

# put_in_place <new|previous>: all copies first, then rename after rename by one process a folder: between the key and the certificate of a pair no
# new connection to etcd has a pair that fits, and to start a second mv takes a hundred times as long. What is there already is left alone, so that
# it can be repeated.
put_in_place() {
  local item target aside file folder
  local -a items=() folders=()
  local -A ready=()
  mapfile -t items <"$record/changed"
  for item in ${items[@]+"${items[@]}"}; do
    find_target "$item"
    file=$record/$1/$item
    rm -f -- "$aside"
    rmdir -- "${aside%/*}" 2>/dev/null || true
    if [ ! -e "$file" ] || { [ -e "$target" ] && same_content "$file" "$target"; }; then continue; fi
    mkdir -p -- "${target%/*}"
    if [ ! -d "${aside%/*}" ]; then mkdir -m 700 -- "${aside%/*}"; fi
    prepare_aside "$file"
    # In the order of the set, which has keys beside their certificates.
    ready[${target%/*}]+=$aside$'\n'
  done
  for folder in "${!ready[@]}"; do
    mapfile -t items <<<"${ready[$folder]%$'\n'}"
    mv -t "$folder" -- "${items[@]}"
    rmdir -- "$folder/.lifeboat-aside" || true
    folders+=("$folder")
  done
  if [ "$1" = previous ]; then
    while IFS= read -r item; do
      find_target "$item"
      rm -f -- "$target"
      folders+=("${target%/*}")
    done <"$record/absent"
  fi
  if [ "${#folders[@]}" -gt 0 ]; then sync -- "${folders[@]}"; fi
}

# start_again <mark>: what reads its files once is ended, and its kubelet starts it.
start_again() {
  local component
  if [ ! -e "$record/$1" ]; then write_file "$record/$1" "$(</proc/sys/kernel/random/boot_id) $(ticks_now)"; fi
  # The API server first, which its balancer sees by /readyz while it still serves; and it would wait for this etcd alone.
  if is_due apiserver; then replace_apiserver "$record/$1"; fi
  if is_due etcd; then replace_etcd "$record/$1"; fi
  for component in controller-manager scheduler; do
    if ! is_due "$component"; then continue; fi
    find_component "$component"
    if [ -n "$REPLY" ] && is_older "$REPLY" "$record/$1"; then
      say "kube-$component (process $REPLY) is ended, to be started with its new files"
      kill -TERM "$REPLY" || true
    fi
  done
  if is_due kubelet && [ "$(service_is kubelet)" = loaded ]; then systemctl try-restart --no-block kubelet.service || true; fi
}

service_is() { if command -v systemctl >/dev/null; then systemctl show "$1.service" --property=LoadState --value; fi; }

# replace_apiserver <mark>: ends the process of before. Whoever waits too long for it is told what does not serve.
replace_apiserver() {
  local listened=yes closed_since=''
  find_apiserver_process
  if [ -z "$REPLY" ] || ! is_older "$REPLY" "$1"; then return 0; fi
  say "kube-apiserver (process $REPLY) is ended, to be started with what is trusted now"
  kill -TERM "$REPLY" || true
  wait_for "$LIFEBOAT_WAIT_SECONDS" old_apiserver_has_ended "$1" || true
}
old_apiserver_has_ended() {
  find_apiserver_process
  if [ -n "$REPLY" ] && ! is_older "$REPLY" "$1"; then return 0; fi
  apiserver_has_ended
}

# replace_etcd <mark>
replace_etcd() {
  find_etcd_process
  if [ -z "$REPLY" ] || ! is_older "$REPLY" "$1"; then return 0; fi
  say "etcd (process $REPLY) is ended, to be started with what is trusted now"
  if [ "$etcd_runs" = systemd ]; then systemctl restart --no-block etcd.service; else kill -TERM "$REPLY" || true; fi
  wait_for "$LIFEBOAT_WAIT_SECONDS" old_etcd_has_ended "$1" || true
}
old_etcd_has_ended() { find_etcd_process && { [ -z "$REPLY" ] || ! is_older "$REPLY" "$1"; }; }

restarted_list() {
  local component
  local -a all=()
  find_apiserver_process
  if is_due apiserver && [ -n "$REPLY" ]; then all+=('"kube-apiserver"'); fi
  find_etcd_process
  if is_due etcd && [ -n "$REPLY" ]; then all+=('"etcd"'); fi
  for component in controller-manager scheduler; do
    if is_due "$component" && find_component "$component" && [ -n "$REPLY" ]; then all+=("$(text "kube-$component")"); fi
  done
  list ${all[@]+"${all[@]}"}
}

# put_previous_back: whether it is served again; problem is what is not.
put_previous_back() {
  put_in_place previous
  start_again switched-back
  wait_for "$LIFEBOAT_WAIT_SECONDS" all_serve "$record/switched-back"
}

# end_going_back: forgets the version. Its copies are what lies in place now, and hold keys.
end_going_back() {
  local before
  before=$(cat "$record/installed-before" 2>/dev/null || true)
  if [ -n "$before" ]; then write_file "$STATE/certificates/installed" "$before"; else rm -f -- "$STATE/certificates/installed"; fi
  drop_record "$record"
}

# fail_unclear: the previous are in place, and not served.
fail_unclear() {
  fail CertificatesUnclear "the previous certificates are in place again, and not everything serves them: $problem. It went back because $(cat "$record/going-back")" \
    'read the log of what does not serve (crictl logs), then run previous-certificates again'
}

# remember_installed: the order counts: with the outcome nothing is under way any more.
remember_installed() {
  local item target aside
  local -a files=()
  while IFS= read -r item; do
    find_target "$item"
    if [ -e "$record/new/$item" ]; then files+=("$target"); fi
  done < <(names_of_set)
  write_file "$record/digests" "$(if [ "${#files[@]}" -gt 0 ]; then sha256sum -- "${files[@]}"; fi)"
  write_file "$STATE/certificates/installed" "$LIFEBOAT_SECRET_VERSION"
  write_file "$record/outcome" installed
}

# drop_old: the last sets can be gone back to; older ones are keys that lie about, and so is the one before the last once it would bring a key back
# that is distrusted here.
drop_old() {
  local each position=0
  if [ -e "$record/new" ]; then remove_tree "$record/new"; fi
  while IFS= read -r each; do
    position=$((position + 1))
    if [ "$position" -gt "$KEEP_PREVIOUS" ] || { [ "$position" -gt 1 ] && keeps_distrusted "$each"; }; then drop_record "$each"; fi
  done < <(for each in "$STATE/certificates/"*/outcome; do printf '%s %s\n' "$(stat -c %.9Y -- "$each")" "${each%/outcome}"; done | sort -rn | cut -d' ' -f2-)
}
