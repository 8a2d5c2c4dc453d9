import { causeWords } from '../contract/function-failure';
import { NodeFacts } from '../contract/node-commands';
import type { NodeEnd, RunbookNode } from '../contract/restore';

/** A node that answered `facts`. */
export interface KnownNode extends RunbookNode {
  readonly facts: NodeFacts;
}

export interface NodeSurvey {
  readonly known: readonly KnownNode[];
  /** One sentence for each node that did not answer, or answered what cannot be read. */
  readonly silent: readonly (RunbookNode & { readonly because: string })[];
}

/** Sorts what the document `facts` brought from each node. */
export function survey(ends: readonly NodeEnd[]): NodeSurvey {
  const known: KnownNode[] = [];
  const silent: (RunbookNode & { because: string })[] = [];
  for (const { instanceId, host, outcome, because, result } of ends) {
    const facts = outcome === 'done' ? NodeFacts.safeParse(result) : undefined;
    if (facts?.success === true) known.push({ instanceId, host, facts: facts.data });
    else
      silent.push({
        instanceId,
        host,
        because: because === undefined ? 'its facts do not parse: deploy the stack and its documents again' : causeWords(because),
      });
  }
  return { known, silent };
}

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');
const older = (a: string, b: string): boolean => {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor < bMajor || (aMajor === bMajor && aMinor < bMinor);
};

/** What keeps a node from being restored, each with what to do; nothing when it is ready. */
export function obstaclesOn(
  { host, instanceId, facts }: KnownNode,
  snapshot: { readonly etcd: string; readonly plainBytes: number },
): string[] {
  const { etcd, apiserver, data, etcdutl, tools } = facts;
  const on = `${host} ${instanceId}`;
  const found: string[] = [];
  if (facts.busyWith !== null) found.push(`${on}: ${facts.busyWith} runs there now: wait until it has ended`);
  const holder = etcd.keptBy ?? apiserver.keptBy;
  if (holder !== null)
    found.push(`${on}: restore ${holder} stopped it and never ended: start an execution with {"rollBack":"${holder}"} first`);
  if (facts.strayManifests.length > 0)
    found.push(
      `${on}: ${facts.strayManifests.join(', ')} in the manifest folder would run a second etcd or API server: move it out of the folder`,
    );
  if (etcd.runs === 'absent') {
    found.push(
      apiserver.definition === 'none'
        ? `${on}: neither etcd nor kube-apiserver is there: see nodes.manifestDir in the config`
        : `${on}: kube-apiserver is there and no etcd: stop it by hand (move its manifest out of the folder), and name the nodes with etcd in "nodes"`,
    );
    return found;
  }
  if (etcd.name === null || etcd.peerUrls === null || etcd.clientUrl === null || data === null)
    found.push(`${on}: the flags of its etcd do not tell name, peer URLs, client URL and data directory`);
  if (etcd.walDir !== null)
    found.push(`${on}: etcd keeps its log apart in ${etcd.walDir}: move it into the data directory, or restore by hand`);
  if (etcd.version !== null && older(etcd.version, snapshot.etcd))
    found.push(
      `${on}: etcd is ${etcd.version} and the snapshot was taken by ${snapshot.etcd}: an older etcd may not read it; use etcd ${minorOf(snapshot.etcd)} there`,
    );
  if (etcdutl === null)
    found.push(`${on}: etcdutl is neither on the PATH nor in the image of etcd: put etcdutl ${etcd.version ?? ''} on the PATH of root`);
  if (etcdutl?.from === 'other-release')
    found.push(
      `${on}: etcdutl is ${etcdutl.version} and etcd is ${etcd.version ?? 'of another release'}: put the etcdutl of its own release on the PATH of root`,
    );
  if (!tools.aws) found.push(`${on}: the aws command line is missing: install it`);
  if (!tools.flock || !tools.sha256sum) found.push(`${on}: flock or sha256sum is missing: install util-linux and coreutils`);
  // `stage` looks again, with its margin; what can be told now costs nobody a download.
  if (data !== null && data.freeBytes < snapshot.plainBytes)
    found.push(`${on}: ${data.freeBytes} bytes are free beside ${data.dir} and the snapshot alone takes ${snapshot.plainBytes}: free some`);
  return found;
}

/** What may go wrong later and keeps nobody from trying. */
export function doubtsOn({ host, facts }: KnownNode, snapshot: { readonly etcd: string }): string[] {
  const { etcd, apiserver, data } = facts;
  const doubts: string[] = [];
  if (apiserver.running && apiserver.definition === 'none')
    doubts.push(
      `kube-apiserver on ${host} is not run by a manifest and is NOT stopped: it waits for etcd, and whoever writes by it in between fails`,
    );
  if (etcd.version !== null && minorOf(etcd.version) !== minorOf(snapshot.etcd))
    doubts.push(`etcd on ${host} is ${etcd.version}, and the snapshot was taken by ${snapshot.etcd}`);
  // A restore leaves the unit as it finds it. What is linked, static or enabled until the next reboot starts by somebody else's hand, if at all.
  if (etcd.unitIs !== null && etcd.unitIs !== 'enabled')
    doubts.push(
      `etcd.service on ${host} is ${etcd.unitIs} and not enabled: after a reboot it would not come back by itself; systemctl enable etcd.service, before or after the restore`,
    );
  const olds = (data?.kept ?? []).filter(({ kind }) => kind === 'old');
  const bytes = olds.reduce((sum, each) => sum + each.bytes, 0);
  if (olds.length > 0)
    doubts.push(
      `${host} keeps ${olds.length} data directories of earlier restores, ${Math.ceil(bytes / 1024 ** 2)} MiB: this restore adds one, and the last two stay`,
    );
  return doubts;
}
