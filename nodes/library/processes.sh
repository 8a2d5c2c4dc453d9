#!/usr/bin/env bash
# Part of every node document: what runs, asked of the kernel, because every container runtime has a command line of its own.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# has_words <pid> <word> …: whether the command line of a process has each word.
has_words() {
  local pid=$1 word wanted found
  shift
  for wanted in "$@"; do
    found=no
    while IFS= read -r -d '' word; do
      if [ "$word" = "$wanted" ]; then found=yes; fi
    done 2>/dev/null <"/proc/$pid/cmdline" || true
    if [ "$found" = no ]; then return 1; fi
  done
}

# holds_open <pid> <file>: by device and inode, so that it is true through any mount.
holds_open() {
  local descriptor
  [ -e "$2" ] || return 1
  for descriptor in "/proc/$1/fd/"*; do
    if [ "$descriptor" -ef "$2" ]; then return 0; fi
  done
  return 1
}

# find_processes <program>: REPLY is their ids. A program that has ended and was not waited for has no command line.
find_processes() {
  local folder name words
  REPLY=''
  for folder in /proc/[0-9]*; do
    { read -r name <"$folder/comm"; } 2>/dev/null || continue
    [ "$name" = "$1" ] || continue
    words=''
    { IFS= read -r -d '' words <"$folder/cmdline"; } 2>/dev/null || true
    if [ -n "$words" ]; then REPLY+=" ${folder#/proc/}"; fi
  done
}

# find_etcd_process: REPLY is the id of this node's etcd, or nothing. Several may run on a machine: only one has this name and data
# directory, or holds this database open.
find_etcd_process() {
  local pid
  find_processes etcd
  for pid in $REPLY; do
    if { [ -n "$etcd_name" ] && has_words "$pid" "--name=$etcd_name" "--data-dir=$etcd_inner_dir"; } ||
      { [ -n "$data_dir" ] && serves_live_data "$pid"; }; then
      REPLY=$pid
      return
    fi
  done
  REPLY=''
}

# serves_live_data <etcd's id>: not what the data directory was before it was exchanged under a process that nobody stopped.
serves_live_data() { holds_open "$1" "$data_dir/member/snap/db"; }

# find_apiserver_process: REPLY is the id of this node's kube-apiserver, or nothing.
find_apiserver_process() {
  local pid
  find_processes kube-apiserver
  for pid in $REPLY; do
    if has_words "$pid" ${apiserver_words[@]+"${apiserver_words[@]}"}; then
      REPLY=$pid
      return
    fi
  done
  REPLY=''
}

# listens <https://host:port>: whether the port accepts connections.
listens() {
  local address=${1#*://} host port
  host=${address%:*}
  port=${address##*:}
  host=${host#[}
  # shellcheck disable=SC2016 # expanded by the inner bash, so that no address is ever read as a command
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${host%]}" "$port" 2>/dev/null
}

# wait_for <seconds> <command …>: whether it was true in time.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
    sleep 0.2
  done
}
