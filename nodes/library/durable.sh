#!/usr/bin/env bash
# Part of every node document: changes on disk that are either whole or not there, also after a power cut.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# mv -T is rename(2): never into a directory that happens to be there. sync with arguments is fsync(2), of directories too.
rename() {
  mv -T -- "$1" "$2"
  sync -- "$(dirname "$1")" "$(dirname "$2")"
}

same_disk() { [ "$(stat -c %d -- "$1")" = "$(stat -c %d -- "$2")" ]; }

sha_of() { sha256sum -- "$1" | cut -d' ' -f1; }
same_content() { [ "$(sha_of "$1")" = "$(sha_of "$2")" ]; }

# write_file <path> <text>
write_file() {
  printf '%s\n' "$2" >"$1.part"
  sync -- "$1.part"
  rename "$1.part" "$1"
}

make_dir() {
  if [ -d "$1" ]; then return 0; fi
  mkdir -p -- "$1"
  sync -- "$1" "$(dirname "$1")"
}

# move_file <from> <to>: between two disks as a copy that is complete before the original goes. The copy is hidden while it is
# not whole, and the kubelet does not read hidden files (pkg/kubelet/config/file.go).
move_file() {
  local aside
  if same_disk "$1" "$(dirname "$2")"; then
    rename "$1" "$2"
    return
  fi
  aside="$(dirname "$2")/.lifeboat-$(basename "$2")"
  cp --preserve=all -- "$1" "$aside"
  sync -- "$aside"
  rename "$aside" "$2"
  rm -f -- "$1"
  sync -- "$(dirname "$1")"
}

remove_tree() {
  rm -rf -- "$1"
  sync -- "$(dirname "$1")"
}

# nearest <path>: the path, or the nearest folder above it that exists.
nearest() {
  local path=$1
  while [ ! -e "$path" ]; do path=$(dirname "$path"); done
  printf '%s' "$path"
}

free_bytes() { df -B1 --output=avail -- "$(nearest "$1")" | tail -n 1 | tr -d ' '; }
# Some file systems, such as btrfs, count no inodes.
free_inodes() { df --output=iavail -- "$(nearest "$1")" | tail -n 1 | tr -d ' -'; }
# bytes_of <path>: 0 for what another document took away while it was measured.
bytes_of() {
  local found
  found=$(du -sB1 -- "$1" 2>/dev/null | cut -f1) || true
  printf '%s' "${found:-0}"
}

# give_like <directory> <pattern>: to whom the pattern belongs. What SELinux lets a container do with it hangs on a label, which a new
# directory has from the one above it.
give_like() {
  chown -R --reference="$2" -- "$1"
  if ! command -v selinuxenabled >/dev/null || ! selinuxenabled; then return 0; fi
  chcon -R --reference="$2" -- "$1" || say "$1 keeps its own label"
}
