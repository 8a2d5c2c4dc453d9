#!/usr/bin/env bash
# Part of every node document: finding etcdutl. Nothing is downloaded: either the node has it, or the etcd image that it runs does.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

minor_of() { sed -n 's/^\([0-9]*\.[0-9]*\)\..*/\1/p' <<<"$1"; }
version_of_etcdutl() { "$1" version 2>/dev/null | sed -n 's/^etcdutl version: //p'; }

# fits <program>: whether it runs, as etcdutl_version says, and is of the same minor release as etcd: another one may write what this
# etcd does not read.
fits() {
  etcdutl_version=''
  [ -x "$1" ] || return 1
  etcdutl_version=$(version_of_etcdutl "$1") || return 1
  [ -n "$etcdutl_version" ] && { [ -z "$etcd_version" ] || [ "$(minor_of "$etcdutl_version")" = "$(minor_of "$etcd_version")" ]; }
}

# find_in_process: REPLY is the etcdutl beside the etcd that runs: the kernel shows the files of its image.
find_in_process() {
  local folder process
  find_etcd_process
  process=$REPLY
  [ -n "$process" ] || return 1
  for folder in /usr/local/bin /usr/bin /bin; do
    REPLY=/proc/$process/root$folder/etcdutl
    if fits "$REPLY"; then return 0; fi
  done
  return 1
}

runtime_with_image() {
  [ -n "$etcd_image" ] || return 1
  if command -v ctr >/dev/null && [ -n "$(ctr --namespace k8s.io images ls -q "name==$etcd_image" 2>/dev/null)" ]; then
    printf ctr
  elif command -v nerdctl >/dev/null && nerdctl --namespace k8s.io image inspect "$etcd_image" >/dev/null 2>&1; then
    printf nerdctl
  elif command -v docker >/dev/null && docker image inspect "$etcd_image" >/dev/null 2>&1; then
    printf docker
  else
    return 1
  fi
}

# find_etcdutl: etcdutl_from is path, kept, process, image, other-release or nothing; etcdutl and etcdutl_version the program where it
# can be run already. Changes nothing.
find_etcdutl() {
  local program
  etcdutl='' etcdutl_from=''
  program=$(command -v etcdutl || true)
  if [ -n "$program" ] && fits "$program"; then
    etcdutl=$program etcdutl_from=path
  elif fits "$STATE/bin/etcdutl"; then
    etcdutl=$STATE/bin/etcdutl etcdutl_from=kept
  elif find_in_process; then
    etcdutl=$REPLY etcdutl_from=process
  elif runtime_with_image >/dev/null; then
    etcdutl_from=image etcdutl_version=$etcd_version
  elif [ -n "$program" ]; then
    # Of another release than etcd: better named than not found.
    etcdutl=$program etcdutl_from=other-release
    etcdutl_version=$(version_of_etcdutl "$program" || true)
  fi
}

has_bump() { "$1" snapshot restore --help 2>&1 | grep -q -- --bump-revision; }

# copy_from_image <runtime> <target>
copy_from_image() {
  local mounted container program
  case $1 in
    ctr)
      mounted=$(mktemp -d)
      ctr --namespace k8s.io images mount "$etcd_image" "$mounted"
      for program in "$mounted"/{usr/local/bin,usr/bin,bin}/etcdutl; do
        if [ -e "$program" ]; then cp -- "$program" "$2"; break; fi
      done
      ctr --namespace k8s.io images unmount --rm "$mounted"
      rmdir "$mounted" 2>/dev/null || true
      ;;
    nerdctl | docker)
      local -a call=("$1")
      if [ "$1" = nerdctl ]; then call+=(--namespace k8s.io); fi
      container=$("${call[@]}" create "$etcd_image")
      "${call[@]}" cp "$container:/usr/local/bin/etcdutl" "$2" || "${call[@]}" cp "$container:/usr/bin/etcdutl" "$2" || true
      "${call[@]}" rm "$container"
      ;;
  esac
}

# require_etcdutl: finds it, and keeps a copy of one that will not be there any more when etcd is stopped. Ends the document without one.
require_etcdutl() {
  local runtime
  find_etcdutl
  case $etcdutl_from in
    process | image)
      make_dir "$STATE/bin"
      rm -f -- "$STATE/bin/etcdutl.part"
      if [ "$etcdutl_from" = process ]; then
        cp -- "$etcdutl" "$STATE/bin/etcdutl.part"
      else
        runtime=$(runtime_with_image)
        copy_from_image "$runtime" "$STATE/bin/etcdutl.part"
      fi
      if [ -e "$STATE/bin/etcdutl.part" ]; then
        chmod 700 "$STATE/bin/etcdutl.part"
        sync -- "$STATE/bin/etcdutl.part"
        rename "$STATE/bin/etcdutl.part" "$STATE/bin/etcdutl"
      fi
      if ! fits "$STATE/bin/etcdutl"; then
        fail EtcdutlMissing "the image $etcd_image holds no etcdutl that runs on this node" "put etcdutl ${etcd_version:-of the release of etcd} on the PATH of root"
      fi
      etcdutl=$STATE/bin/etcdutl
      ;;
    other-release)
      fail EtcdutlVersionDiffers "etcdutl is ${etcdutl_version:-broken} and etcd is $etcd_version" "put etcdutl $(minor_of "$etcd_version") on the PATH of root"
      ;;
    '')
      fail EtcdutlMissing 'etcdutl is neither on the PATH nor in the image of etcd' \
        "put etcdutl ${etcd_version:-of the release of etcd} on the PATH of root; etcd 3.4 and older has none and is restored by hand"
      ;;
  esac
  if [ "${LIFEBOAT_BUMP_REVISION:-0}" != 0 ] && ! has_bump "$etcdutl"; then
    fail BumpUnsupported "etcdutl $etcdutl_version cannot raise the revision: clients would see time run backwards" \
      'put etcdutl 3.5.10 or newer on the PATH of root, or restore with bumpRevision 0 and restart every client of the API'
  fi
}
