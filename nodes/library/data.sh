#!/usr/bin/env bash
# Part of every node document: the data directory and what restores leave beside it.
# Every step is a rename, and every directory tells by itself where it came from, so that nothing has to be remembered:
#   <live>                          what etcd uses
#   <live>.lifeboat-<id>-restoring  half made: never used, made anew
#   <live>.lifeboat-<id>-new        made and complete, not yet used
#   <live>.lifeboat-<id>-old        what etcd used before
#   <live>.lifeboat-<id>-failed     was restored, used, and taken out again by roll-back
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# etcd reads only member/snap and member/wal: a file beside them is left alone.
MARKER=lifeboat-restored-by
# The restores before it: of whose data it took the place, and of whose data those had.
EARLIER=lifeboat-restored-before

is_mount_point() { awk -v dir="$1" '$5 == dir { found = 1 } END { exit !found }' /proc/self/mountinfo; }

# name_data: a data directory that something is mounted on cannot be renamed, so there its content is. Where it is a link, all this
# happens where the data is: a link that is renamed would leave the new data on the disk of the link.
name_data() {
  live='' own_disk=no
  if [ -n "$data_dir" ]; then live=$(readlink -m -- "$data_dir"); fi
  if [ -n "$live" ] && is_mount_point "$live"; then
    live=$live/member
    own_disk=yes
  fi
  old=$live.lifeboat-${LIFEBOAT_RESTORE_ID:-}-old
  new=$live.lifeboat-${LIFEBOAT_RESTORE_ID:-}-new
  failed=$live.lifeboat-${LIFEBOAT_RESTORE_ID:-}-failed
  restoring=$live.lifeboat-${LIFEBOAT_RESTORE_ID:-}-restoring
}

# restored_by <live or kept directory>: the restore that made it, or nothing.
restored_by() {
  cat "$1/member/$MARKER" 2>/dev/null || cat "$1/$MARKER" 2>/dev/null || true
}

# restored_before <live or kept directory>: the restores before the one that made it, one a line.
restored_before() {
  cat "$1/member/$EARLIER" 2>/dev/null || cat "$1/$EARLIER" 2>/dev/null || true
}

# came_before <restore> <live directory>: whether a later restore made what is there. Known of the data itself, since clean-up removes all else.
came_before() { restored_before "$2" | grep -qxF -- "$1"; }

# find_data_state: data_state is what this restore has done to the data: original, half-swapped, restored or unclear.
find_data_state() {
  if [ -e "$live" ] && [ "$(restored_by "$live")" = "$LIFEBOAT_RESTORE_ID" ]; then
    data_state=restored
  elif came_before "$LIFEBOAT_RESTORE_ID" "$live"; then
    data_state=unclear
  elif [ ! -e "$old" ]; then
    data_state=original
  elif [ ! -e "$live" ]; then
    data_state=half-swapped
  else
    data_state=unclear
  fi
}

# swap_in: new becomes live, live becomes old.
swap_in() {
  find_data_state
  if [ "$data_state" = original ]; then rename "$live" "$old"; fi
  rename "$new" "$live"
}

# swap_out: old becomes live again; what was restored is kept until clean-up.
swap_out() {
  if [ -e "$live" ]; then
    # Of an earlier attempt with the same id.
    if [ -e "$failed" ]; then remove_tree "$failed"; fi
    rename "$live" "$failed"
  fi
  rename "$old" "$live"
}

# give_to_etcd <directory>: to whom the data belongs that is there. Where there is none, to the owner of the disk that is mounted for it, or
# to the user that etcd runs as.
give_to_etcd() {
  local user=''
  if [ -e "$old" ]; then
    give_like "$1" "$old"
  elif [ -e "$live" ] && [ "$1" != "$live" ]; then
    give_like "$1" "$live"
  else
    give_like "$1" "$(dirname "$live")"
    if [ "$own_disk" = yes ]; then return 0; fi
    case $etcd_runs in
      static-pod) user=$(sed -n 's/^ *runAsUser: *\([0-9][0-9]*\) *$/\1/p' "$etcd_manifest" | head -n 1) ;;
      systemd) user=$(systemctl show etcd.service --property=User --value) ;;
    esac
    if [ -n "$user" ]; then chown -R -- "$user" "$1"; fi
  fi
}

# newest_first: kept old directories, the one that was put aside last first: a rename sets ctime.
newest_first() {
  local each
  for each in "$live".lifeboat-*-old; do printf '%s %s\n' "$(stat -c %.9Z -- "$each")" "$each"; done | sort -rn | cut -d' ' -f2-
}

# kind_of, restore_of <directory>: <live>.lifeboat-<id>-<kind>
kind_of() { printf '%s' "${1##*-}"; }
restore_of() {
  local name=${1##*.lifeboat-}
  printf '%s' "${name%-*}"
}

kept_data() {
  local each
  for each in "$live".lifeboat-*; do
    object restoreId "$(text "$(restore_of "$each")")" kind "$(text "$(kind_of "$each")")" bytes "$(bytes_of "$each")"
    printf '\n'
  done
}
