#!/usr/bin/env bash
# Removes what restores left on this node, except the last data directories that were in use before one.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

KEEP=2

take_lock
require_member
name_data

if [ -n "$etcd_kept_by$apiserver_kept_by" ] || [ ! -e "$live" ]; then
  fail RestoreInProgress 'a restore has stopped parts of this node and has not started them again' 'finish it first: run start or roll-back'
fi

freed=0
remove() {
  freed=$((freed + $(bytes_of "$1")))
  remove_tree "$1"
}

# That a restore was rolled back is remembered for longer than its execution can be redriven, which is 14 days.
REDRIVEN_DAYS=15
remove_record() {
  local part
  if [ -e "$1/rolled-back" ] && [ -n "$(find "$1/rolled-back" -mtime "-$REDRIVEN_DAYS")" ]; then
    for part in "$1/"*; do if [ "$part" != "$1/rolled-back" ]; then remove "$part"; fi; done
  else
    remove "$1"
  fi
}

mapfile -t olds < <(newest_first)
position=0
for each in ${olds[@]+"${olds[@]}"}; do
  position=$((position + 1))
  if [ "$position" -gt "$KEEP" ]; then remove "$each"; fi
done
for each in "$live".lifeboat-*-{new,failed,restoring,restoring.member}; do remove "$each"; done
if [ -d "$STATE/restores" ]; then
  for each in "$STATE/restores/"*; do remove_record "$each"; done
fi

used=0
kept=()
for each in "$live".lifeboat-*-old; do
  bytes=$(bytes_of "$each")
  used=$((used + bytes))
  kept+=("$(object restoreId "$(text "$(restore_of "$each")")" bytes "$bytes")")
done
succeed freedBytes "$freed" usedBytes "$used" kept "$(list ${kept[@]+"${kept[@]}"})"
