import type { CertificateInventory, ScannedCertificate, ServedPort } from '../contract/certificate-scan';
import type { Finding } from '../contract/certificates';
import type { NodeEnd } from '../contract/restore';
import { shortId } from '../contract/short-id';
import { differences } from './compare-nodes';
import { daysLeft } from './judge-leaf';
import type { LeafVerdict } from './judge-leaf';
import type { ToldNode } from './told-node';

export interface ScanInput {
  readonly cluster: string;
  readonly told: readonly ToldNode[];
  readonly silent: readonly NodeEnd[];
  readonly served: readonly ServedPort[];
  readonly verdicts: ReadonlyMap<string, readonly LeafVerdict[]>;
  readonly now: Date;
}

/** Everything that is known of the certificates of a cluster, and what somebody should do. */
export function takeInventory(input: ScanInput): Omit<CertificateInventory, 'renewing'> {
  const { cluster, told, silent, served, now } = input;
  const nodes = [...told.map((node) => nodeOf(node, input)), ...silent.map(silentNode)];
  const ends = [...nodes.flatMap(({ certificates }) => certificates), ...served].flatMap(({ notAfter }) => notAfter ?? []);
  const days = ends.map((end) => daysLeft(new Date(end), now));
  return {
    ...{ version: 1, cluster, takenAt: now.toISOString(), nodes },
    authorities: authoritiesOf(told),
    findings: [
      ...silent.map(silentFinding),
      ...differences(told, now),
      ...told.flatMap((node) => leafFindings(node, input)),
      ...mismatches(input),
    ],
    ...(days.length > 0 && { daysLeft: Math.min(...days) }),
  };
}

/**
 * The nodes that are to be rotated, first the ones with a certificate that does not do its work, then those whose first certificate ends soonest.
 */
export function dueInOrder(verdicts: ScanInput['verdicts'], told: readonly ToldNode[]): ToldNode[] {
  const due = told.flatMap((node) => {
    const renewed = (verdicts.get(node.instanceId) ?? []).filter(({ action }) => action === 'renew');
    if (renewed.length === 0) return [];
    const ends = renewed.map(({ leaf, reason }) => (reason === 'expires-soon' ? endOf(node, leaf) : 0));
    return [{ node, end: Math.min(...ends) }];
  });
  return due.sort((a, b) => a.end - b.end).map(({ node }) => node);
}

function endOf(node: ToldNode, leaf: LeafVerdict['leaf']): number {
  const told = node.leaves.get(leaf);
  return told === undefined || told === 'unparsable' ? 0 : told.view.notAfter.getTime();
}

function nodeOf(node: ToldNode, { verdicts, served }: ScanInput): CertificateInventory['nodes'][number] {
  const certificates = (verdicts.get(node.instanceId) ?? []).map((verdict): ScannedCertificate => {
    const told = node.leaves.get(verdict.leaf);
    const view = told === undefined || told === 'unparsable' ? undefined : told.view;
    return {
      leaf: verdict.leaf,
      ...(view && { serial: view.serial, sha256: view.sha256, notAfter: view.notAfter.toISOString() }),
      verdict: verdict.action === 'keep' ? 'keep' : verdict.reason,
      message: verdict.message,
    };
  });
  const own = served.filter(({ instanceId }) => instanceId === node.instanceId).map(({ instanceId: _node, ...port }) => port);
  return { instanceId: node.instanceId, host: node.host, certificates, served: own };
}

const silentNode = ({ instanceId, host, error, outcome, because }: NodeEnd): CertificateInventory['nodes'][number] => ({
  ...{ instanceId, host, certificates: [], served: [] },
  silent: `${error ?? outcome}, ${because ?? 'nothing is known'}`,
});

const silentFinding = (end: NodeEnd): Finding => ({
  severity: 'wrong',
  where: end.host || end.instanceId,
  what: `it does not tell of its certificates: ${silentNode(end).silent ?? ''}`,
  fix: 'see that its SSM agent runs, or take its tag away when the machine is gone',
});

function authoritiesOf(told: readonly ToldNode[]): CertificateInventory['authorities'] {
  const all = told.flatMap((node) =>
    [...node.authorities].flatMap(([authority, certificates]) =>
      certificates === 'unparsable'
        ? []
        : certificates.map(({ view }) => ({
            authority,
            id: view.sha256,
            subject: view.subject.text,
            notAfter: view.notAfter.toISOString(),
          })),
    ),
  );
  return [...new Map(all.map((each) => [each.id, each])).values()];
}

function leafFindings(node: ToldNode, { verdicts }: ScanInput): Finding[] {
  return (verdicts.get(node.instanceId) ?? []).flatMap((verdict): Finding[] => {
    if (verdict.action === 'keep') return [];
    const severity = verdict.reason === 'expires-soon' ? 'soon' : 'wrong';
    return [
      {
        severity,
        where: node.host,
        what: `${verdict.leaf}: ${verdict.message} (${verdict.reason})`,
        fix: 'it is rotated by itself, one node a day',
      },
    ];
  });
}

/** kubernetes/kubernetes#102556: the file was renewed, and the port goes on serving the old one until it has ended. */
function mismatches({ told, served }: ScanInput): Finding[] {
  return served.flatMap(({ instanceId, leaf, host, port, sha256, because }): Finding[] => {
    const node = told.find((each) => each.instanceId === instanceId);
    const file = node?.leaves.get(leaf);
    if (node === undefined || file === undefined || file === 'unparsable') return [];
    const place = `${leaf} at ${host}:${port}`;
    if (sha256 === undefined)
      return [
        { severity: 'wrong', where: node.host, what: `${place} gives no certificate: ${because}`, fix: 'see that the component runs' },
      ];
    if (sha256 === file.view.sha256) return [];
    const what = `${place} serves another certificate than its file (${shortId(sha256)}, not ${shortId(file.view.sha256)})`;
    return [{ severity: 'wrong', where: node.host, what, fix: 'restart the component of that port' }];
  });
}
