#!/usr/bin/env bash
# Everything that the node documents share. lib/nodes/node-documents.ts puts the files in the place of these lines.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library/report.sh"
. "${BASH_SOURCE%/*}/library/durable.sh"
. "${BASH_SOURCE%/*}/library/processes.sh"
. "${BASH_SOURCE%/*}/library/member.sh"
. "${BASH_SOURCE%/*}/library/readiness.sh"
. "${BASH_SOURCE%/*}/library/data.sh"
. "${BASH_SOURCE%/*}/library/etcdutl.sh"
. "${BASH_SOURCE%/*}/library/new-data.sh"
. "${BASH_SOURCE%/*}/library/control-plane.sh"
