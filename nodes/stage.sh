#!/usr/bin/env bash
# Brings the snapshot onto this node and proves it, while everything still serves. Stops nothing.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change
require_etcdutl
staged=$record/snapshot.db

# Room for the file here, and for the data made of it beside the data directory: etcdutl writes the database and a log of 64 MB.
MARGIN=$((256 * 1024 * 1024))
LOG=$((64 * 1000 * 1000))
require_room() {
  if [ "$2" -ge "$3" ]; then return 0; fi
  fail NoSpace "$1 has $2 bytes free and $3 are needed" "free $(($3 - $2)) bytes there: facts lists kept data directories, clean-up removes the older ones"
}
# The command line downloads into snapshot.db.part.<random>, which stays when it is killed.
rm -f -- "$staged.part"*
file_bytes=$LIFEBOAT_SNAPSHOT_BYTES
if [ -e "$staged" ]; then file_bytes=0; fi
data_bytes=$((LIFEBOAT_SNAPSHOT_BYTES + LOG))
if same_disk "$STATE" "$(nearest "$live")"; then
  require_room "$STATE" "$(free_bytes "$STATE")" $((file_bytes + data_bytes + MARGIN))
else
  require_room "$STATE" "$(free_bytes "$STATE")" $((file_bytes + MARGIN))
  require_room "$data_dir" "$(free_bytes "$live")" $((data_bytes + MARGIN))
fi

was=staged
if [ -e "$staged" ] && [ "$(sha_of "$staged")" != "$LIFEBOAT_SNAPSHOT_SHA256" ]; then rm -f -- "$staged"; fi
if [ ! -e "$staged" ]; then
  was=absent
  if ! command -v aws >/dev/null; then
    fail ToolMissing 'the aws command line is not on this node' 'install the AWS CLI, and let the role of the node read the snapshot'
  fi
  rm -f -- "$record/snapshot.sha256"
  know_region
  if ! problem=$(aws s3 cp --only-show-errors --no-progress "$LIFEBOAT_SNAPSHOT_URL" "$staged.part" 2>&1); then
    say "$problem"
    rm -f -- "$staged.part"*
    fail DownloadFailed "$LIFEBOAT_SNAPSHOT_URL cannot be read by this node: $(tail -c 500 <<<"$problem")" \
      'let the role of the node get this object and decrypt with its key, and see that S3 is reached from its subnet'
  fi
  found=$(sha_of "$staged.part")
  if [ "$found" != "$LIFEBOAT_SNAPSHOT_SHA256" ]; then
    rm -f -- "$staged.part"
    fail DownloadDiffers "the SHA-256 of what arrived is $found and the manifest says $LIFEBOAT_SNAPSHOT_SHA256" \
      'run this again; when it stays, the object is not the snapshot of that manifest'
  fi
  sync -- "$staged.part"
  rename "$staged.part" "$staged"
fi

# Of etcd itself. Its totalKey is left out: 3.5 and 3.6 count the same file differently, and the SHA-256 has proven the bytes.
status=$("$etcdutl" snapshot status "$staged" -w json) || status=''
field() { sed -n "s/.*\"$1\":\([0-9]*\)[,}].*/\1/p" <<<"$status"; }
revision=$(field revision)
hash=''
if [ -n "$(field hash)" ]; then hash=$(printf '%08x' "$(field hash)"); fi
if [ "$hash" != "$LIFEBOAT_SNAPSHOT_HASH" ] || [ "$revision" != "$LIFEBOAT_SNAPSHOT_REVISION" ]; then
  rm -f -- "$staged"
  fail SnapshotDiffers "etcdutl finds hash \"$hash\" and revision \"$revision\", the manifest says $LIFEBOAT_SNAPSHOT_HASH and $LIFEBOAT_SNAPSHOT_REVISION" \
    'take another snapshot: this one cannot be restored by the etcdutl of this node'
fi
write_file "$record/snapshot.sha256" "$LIFEBOAT_SNAPSHOT_SHA256"

succeed was "$(text "$was")" bytes "$(stat -c %s -- "$staged")" sha256 "$(text "$LIFEBOAT_SNAPSHOT_SHA256")" hash "$(text "$hash")" revision "$revision" \
  totalKeys "$(field totalKey)" etcdutl "$(text "$etcdutl_version")" freeBytes "$(free_bytes "$live")"
