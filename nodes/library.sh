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
. "${BASH_SOURCE%/*}/library/secret.sh"
. "${BASH_SOURCE%/*}/library/certificates.sh"
. "${BASH_SOURCE%/*}/library/certificate-set.sh"
. "${BASH_SOURCE%/*}/library/certificate-switch.sh"
. "${BASH_SOURCE%/*}/library/certificate-ports.sh"
. "${BASH_SOURCE%/*}/library/signer.sh"
. "${BASH_SOURCE%/*}/library/etcd-log.sh"
