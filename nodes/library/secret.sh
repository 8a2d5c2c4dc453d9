#!/usr/bin/env bash
# Part of every node document: the node's own secret, and where its value may lie while it is handled.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# require_tools <program> …
require_tools() {
  local tool
  for tool in "$@"; do
    if ! command -v "$tool" >/dev/null; then
      fail ToolMissing "$tool is not on this node" "install $tool where root finds it"
    fi
  done
}

# The agent names the region to what it runs; version 1 of the command line finds none by itself.
know_region() {
  if [ -z "${AWS_REGION:-}${AWS_DEFAULT_REGION:-}" ] && [ -n "${AWS_SSM_REGION_NAME:-}" ]; then export AWS_DEFAULT_REGION=$AWS_SSM_REGION_NAME; fi
}

# find_scratch_place: scratch_place is a folder in memory where there is such a disk: what never was on a disk is in no snapshot of it and not
# to be found again, and it is gone with the power.
find_scratch_place() {
  scratch_place=/dev/shm
  if [ -d "$scratch_place" ] && [ -w "$scratch_place" ]; then return 0; fi
  scratch_place=$STATE
  mkdir -p -- "$STATE"
}

# scratch_name <kind>
scratch_name() { printf 'lifeboat-%s-%s' "$1" "$(cksum <<<"$STATE" | cut -d' ' -f1)"; }

# make_scratch <kind>: scratch is a folder for this user alone, which goes with the document.
make_scratch() {
  find_scratch_place
  scratch=$(mktemp -d -- "$scratch_place/$(scratch_name "$1").XXXXXXXX")
}

# forget_keys: what a document left that was killed. Only under the lock, since another one may be using its own.
forget_keys() {
  local left
  find_scratch_place
  for left in "$scratch_place/$(scratch_name keys)".*; do if [ -O "$left" ]; then rm -rf -- "$left"; fi; done
}

# told_by_aws: what the command line said, without anything as long as a part of a key.
told_by_aws() { sed 's/[A-Za-z0-9+/=]\{80,\}/.../g' "$scratch/told" | tr '\n' ' ' | tail -c 500; }

# call_secrets <operation> <query> <word> …: the answer is in scratch/answer. Its value goes from file to file alone.
call_secrets() {
  local operation=$1 query=$2
  shift 2
  know_region
  if aws secretsmanager "$operation" --query "$query" --output text "$@" >"$scratch/answer" 2>"$scratch/told" </dev/null; then return 0; fi
  fail SecretRefused "$operation of $LIFEBOAT_SECRET_ID: $(told_by_aws)" \
    "let the role of the node do secretsmanager:$operation with this secret and use its key, and see that Secrets Manager is reached from its subnet"
}
