#!/usr/bin/env bash
# Part of every node document: how it reports, and what keeps two of them apart.
# A document is its inputs as environment variables LIFEBOAT_*, then everything in library/, then one command.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts
set -Eeuo pipefail
shopt -s nullglob
umask 077

STATE=$LIFEBOAT_STATE_DIR
reported=no
# A folder that goes with the document, however that ends.
scratch=''

# Everything that any program prints goes to stderr; the last line of stdout is the result alone.
exec 3>&1 1>&2

say() { printf '%s\n' "$*" >&2; }

# text <string>: a JSON string. Control characters other than these are left out: no tool that is read here prints them.
text() {
  local value=$1
  value=${value//\\/\\\\}
  value=${value//\"/\\\"}
  value=${value//$'\n'/\\n}
  value=${value//$'\t'/\\t}
  printf '"%s"' "${value//[[:cntrl:]]/}"
}

# text_or_null, number_or_null <value>: null when it is empty.
text_or_null() { if [ -n "$1" ]; then text "$1"; else printf null; fi; }
number_or_null() { printf '%s' "${1:-null}"; }
yes_or_no() { if "$@"; then printf true; else printf false; fi; }

# object <name> <json> …, list <json> …
object() {
  local separator=''
  printf '{'
  while [ $# -gt 0 ]; do
    printf '%s"%s":%s' "$separator" "$1" "$2"
    separator=,
    shift 2
  done
  printf '}'
}
list() {
  local IFS=,
  printf '[%s]' "$*"
}

report() {
  reported=yes
  printf '%s\n' "$1" >&3
}

# succeed <name> <json> …: ends the document.
succeed() {
  report "$(object ok true command "$(text "$LIFEBOAT_COMMAND")" "$@")"
  exit 0
}

# fail <ErrorName> <message> <fix>: ends the document. Never called in a subshell, where it would end only that.
fail() {
  report "$(object ok false command "$(text "$LIFEBOAT_COMMAND")" error "$(text "$1")" message "$(text "$2")" fix "$(text "$3")")"
  exit 1
}

# shellcheck disable=SC2329 # called by the trap
finish() {
  if [ -n "$scratch" ]; then rm -rf -- "$scratch"; fi
  if [ "$reported" = no ]; then
    report "$(object ok false command "$(text "$LIFEBOAT_COMMAND")" error '"UnexpectedFailure"' \
      message "$(text "a command that should not fail ended with $1; the last lines on stderr say which")" \
      fix '"run the same document again: each continues where it was stopped"')"
  fi
}
trap 'finish $?' EXIT
trap 'say "line $LINENO: $BASH_COMMAND failed"' ERR

# One command at a time. A child that outlives its killed parent keeps the lock, as it should. Two seconds are for
# whoever only looks.
take_lock() {
  mkdir -p "$STATE"
  exec 9<>"$STATE/lock"
  if ! flock -w 2 9; then
    fail NodeBusy "$(cat "$STATE/lock.holder" 2>/dev/null || echo another document) still runs on this node" \
      'wait until it has ended; when nothing waits for it any more, end it by ssm cancel-command'
  fi
  printf '%s\n' "$LIFEBOAT_COMMAND" >"$STATE/lock.holder"
}

# What runs now, or nothing. Asks the kernel, so that it never takes the lock from a document that starts just now.
find_busy() {
  local inode
  REPLY=''
  [ -e "$STATE/lock" ] || return 0
  inode=$(stat -c %i "$STATE/lock")
  # Another disk may have a file of the same number, which is locked for other reasons: then the lock is free.
  if grep -q ":$inode 0 EOF" /proc/locks && ! flock -n "$STATE/lock" true; then REPLY=$(cat "$STATE/lock.holder" 2>/dev/null || echo unknown); fi
}
