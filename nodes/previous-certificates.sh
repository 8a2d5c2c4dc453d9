#!/usr/bin/env bash
# Puts back what install-certificates of one version replaced, and waits until it is served.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_certificates
find_record_state

case $record_state in
  absent) succeed was '"not-installed"' changed '[]' restarted '[]' served "$(served_list)" seconds "$SECONDS" ;;
  installed) was=installed ;;
  *) was=interrupted ;;
esac
# From here on it goes back and never on, whatever cuts it off.
if [ ! -e "$record/going-back" ]; then write_file "$record/going-back" 'it was asked for'; fi
if ! put_previous_back; then fail_unclear; fi
changed=$(changed_list)
restarted=$(restarted_list)
served=$(served_list)
end_going_back

succeed was "$(text "$was")" changed "$changed" restarted "$restarted" served "$served" seconds "$SECONDS"
