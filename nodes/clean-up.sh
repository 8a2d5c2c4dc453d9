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

mapfile -t olds < <(newest_first)
position=0
for each in ${olds[@]+"${olds[@]}"}; do
  position=$((position + 1))
  if [ "$position" -gt "$KEEP" ]; then remove "$each"; fi
done
for each in "$live".lifeboat-*-{new,failed,restoring,restoring.member}; do remove "$each"; done
if [ -d "$STATE/restores" ]; then
  for each in "$STATE/restores/"*; do remove "$each"; done
fi

used=0
kept=()
for each in "$live".lifeboat-*-old; do
  bytes=$(bytes_of "$each")
  used=$((used + bytes))
  kept+=("$(object restoreId "$(text "$(restore_of "$each")")" bytes "$bytes")")
done
succeed freedBytes "$freed" usedBytes "$used" kept "$(list ${kept[@]+"${kept[@]}"})"
