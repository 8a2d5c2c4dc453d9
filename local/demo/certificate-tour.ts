import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { CertificateInventory } from '../../lambdas/contract/certificate-scan';
import { AdoptionReport } from '../../lambdas/contract/certificates';
import { adoptionKey, inventoryKey } from '../../lambdas/contract/s3-keys';
import { startLocalCloud } from '../cloud';
import type { StateMachine } from '../cloud';
import type { Deployment } from '../deployment';
import type { Narrator } from '../narrator';
import { startLocalNodes } from '../nodes';
import type { LocalNode, LocalNodes } from '../nodes';
import { rotateNode } from '../rotation';
import { SteadyClient } from '../steady-client';
import { realKubernetes } from '../tools';
import { deployStep } from './first-steps';
import type { TourOptions } from './tour';

export const CERTIFICATE_STEPS = 8;
const ENDS_WITHIN_MS = 180_000;
/** Certificates of local nodes live for thirty days. The name is new: no certificate has it yet. */
const CERTIFICATES = { leafValidityDays: 60, renewBeforeDays: 20, extraSans: ['api.lifeboat.example'] };

/** The third guided tour: a cluster's certificates are adopted, looked at, and exchanged under a client. */
export async function certificateTour(narrator: Narrator, { stopped }: TourOptions): Promise<void> {
  const closing: (() => Promise<void>)[] = [];
  try {
    narrator.title('kube-lifeboat: the certificates of a control plane, here on your machine');
    const cloud = await narrator.run(
      'start a local cloud',
      () => startLocalCloud({ schedules: false }),
      ({ endpoint }) => endpoint,
    );
    closing.unshift(() => cloud.stop());
    const kubernetes = realKubernetes() ? 'real' : 'pretended';
    const nodes = await narrator.run(
      'start three control-plane nodes',
      () => startLocalNodes({ cloud, kubernetes, certificates: 'whole' }),
      ({ release }) =>
        `etcd ${release} and ${kubernetes === 'real' ? 'Kubernetes' : 'stand-ins for Kubernetes'}, with kubeadm's whole tree of certificates`,
    );
    closing.unshift(() => nodes.stop());
    const lifeboat = await deployStep(narrator, cloud, nodes, { certificates: CERTIFICATES });
    stopped.throwIfAborted();
    await adopt(narrator, lifeboat);
    await rotateAll(narrator, { nodes, lifeboat, rotate: (node) => rotateNode(cloud, lifeboat.cluster, node) }, stopped);
    await look(narrator, lifeboat);
  } finally {
    for (const close of closing) await close();
  }
}

async function adopt(narrator: Narrator, lifeboat: Deployment): Promise<void> {
  const report = await narrator.run(
    'adopt: no node is changed',
    async () => AdoptionReport.parse(await reportOf(lifeboat, lifeboat.adopt, (id) => adoptionKey(lifeboat.cluster, id))),
    ({ outcome, authorities }) => `${outcome}; authorities: ${authorities.map(({ authority, key }) => `${authority} (${key})`).join(', ')}`,
  );
  narrator.table(
    ['', 'where', 'what it found'],
    report.findings.map(({ severity, where, what }) => [severity, where, what]),
  );
  narrator.check(
    'nodes whose certificate lacks the new name, and nothing else is found',
    report.findings.filter(({ what }) => /san-missing/.test(what)).length,
    3,
  );
  narrator.check('the outcome', report.outcome, 'ADOPTED');
}

interface Rotating {
  readonly nodes: LocalNodes;
  readonly lifeboat: Deployment;
  readonly rotate: (node: LocalNode) => Promise<void>;
}

async function rotateAll(narrator: Narrator, { nodes, rotate }: Rotating, stopped: AbortSignal): Promise<void> {
  narrator.title('Every certificate and key is exchanged, one node at a time, while a client asks');
  const certificateOf = (node: LocalNode): X509Certificate =>
    new X509Certificate(readFileSync(path.join(node.tree.pkiDir, 'apiserver.crt')));
  const before = nodes.nodes.map(certificateOf);
  const pids = (node: LocalNode): string => `${node.pid('etcd') ?? 'none'} ${node.pid('kube-apiserver') ?? 'none'}`;
  const served = nodes.nodes.map(pids);
  const client = new SteadyClient(
    nodes.nodes.map(({ apiUrl }) => apiUrl),
    nodes.authorities.cluster.cert,
  );
  try {
    for (const node of nodes.nodes) {
      stopped.throwIfAborted();
      await narrator.run(`rotate ${node.name}`, () => rotate(node));
    }
  } finally {
    const { requests, failed } = await client.stop();
    narrator.check(`of ${requests} requests, each by a handshake of its own, failed`, failed.length, 0);
  }
  narrator.table(
    ['apiserver of', 'serial before', 'serial now', 'until', 'names the new name'],
    nodes.nodes.map((node, index) => {
      const now = certificateOf(node);
      return [
        node.name,
        before[index]?.serialNumber.slice(0, 16) ?? '',
        now.serialNumber.slice(0, 16),
        new Date(now.validTo).toISOString().slice(0, 10),
        now.checkHost('api.lifeboat.example') === undefined ? 'no' : 'yes',
      ];
    }),
  );
  narrator.check('etcd and kube-apiserver were not started again', nodes.nodes.map(pids).join(), served.join());
}

async function look(narrator: Narrator, lifeboat: Deployment): Promise<void> {
  const { nodes, findings, daysLeft } = await narrator.run(
    'look at every certificate, in its file and at its port',
    async () => CertificateInventory.parse(await reportOf(lifeboat, lifeboat.scan, () => inventoryKey(lifeboat.cluster))),
    (inventory) => `${inventory.nodes.reduce((sum, { certificates }) => sum + certificates.length, 0)} certificates`,
  );
  narrator.check('findings', findings.length, 0);
  narrator.check('days that the first has left', Math.floor(daysLeft ?? 0), CERTIFICATES.leafValidityDays - 1);
  narrator.check(
    'ports that serve what lies in their file',
    nodes.reduce((sum, { served }) => sum + served.length, 0),
    9,
  );
}

/** Runs a state machine to its end, and reads what it wrote. */
async function reportOf(lifeboat: Deployment, machine: StateMachine | undefined, keyOf: (id: string) => string): Promise<unknown> {
  const execution = await machine?.start({ waitForNodesSeconds: 30 });
  const end = await execution?.wait({ timeoutMs: ENDS_WITHIN_MS });
  if (execution === undefined || end?.status !== 'SUCCEEDED')
    throw new Error(`it ended as ${end?.status ?? 'nothing'}: ${end?.cause ?? ''}`);
  const { Body } = await lifeboat.s3.send(new GetObjectCommand({ Bucket: lifeboat.bucket, Key: keyOf(execution.name) }));
  return JSON.parse((await Body?.transformToString()) ?? 'null');
}
