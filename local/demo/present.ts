import { styleText } from 'node:util';
import type { Manifest } from '../../lambdas/contract/manifest';
import type { LocalCloud } from '../cloud';
import { commandEnvironment } from '../cloud/clients';
import type { Deployment } from '../deployment';
import type { EtcdCluster } from '../etcd/cluster';
import { megabytes, seconds } from '../narrator';
import type { Narrator } from '../narrator';
import type { SnapshotProof } from './prove-snapshot';

export function showSnapshots(narrator: Narrator, snapshots: readonly Manifest[]): void {
  const rows = snapshots.map(({ id, trigger, revision, totalKeys, plainBytes, stored, hashKv, verified }) => [
    id,
    trigger,
    revision,
    totalKeys,
    megabytes(plainBytes),
    `${megabytes(stored.bytes)} (${((100 * stored.bytes) / plainBytes).toFixed(0)} %)`,
    `${hashKv.members.filter(({ answer }) => answer.outcome === 'equal').length} of ${hashKv.members.length}`,
    verified ? styleText('green', 'yes') : styleText('red', 'no'),
  ]);
  narrator.table(['snapshot', 'trigger', 'revision', 'keys', 'database', 'stored', 'members agree', 'verified'], rows);
}

const MOST_RESOURCES = 8;

export function showManifest(narrator: Narrator, manifest: Manifest): void {
  const { durations, inventory, member, stored, checks } = manifest;
  const resources = Object.entries(inventory).sort(([, a], [, b]) => b - a);
  const others = resources.length - MOST_RESOURCES;
  const largest = resources.slice(0, MOST_RESOURCES).map(([name, count]) => `${name} ${count}`);
  const lines: readonly (readonly [string, string])[] = [
    ['taken from', `${member.name} (${member.leader ? 'the leader' : 'a follower'}), etcd ${manifest.versions.etcd}`],
    ['file', `revision ${manifest.revision}, compacted at ${manifest.compactRevision}, status hash ${manifest.statusHash}`],
    ['stored as', `${stored.frames.length} zstd frames, CRC-32 ${stored.crc32} by S3 itself`],
    ['checks', checks.map(({ name, passed }) => `${passed ? '✓' : '✗'} ${name}`).join('  ')],
    ['objects', `${largest.join(', ')}${others > 0 ? ` and ${others} more resources` : ''}`],
    [
      'took',
      `${seconds(durations['stream'])} to stream and store, ${seconds(durations['verify'])} of it to check every page, ${seconds(durations['attest'])} to ask all members`,
    ],
  ];
  for (const [name, text] of lines) narrator.say(`      ${styleText('bold', name.padEnd(11))} ${text}`);
}

/** What the tools of others found, against the manifest: the promise that a listed snapshot restores. */
export function checkProof(narrator: Narrator, manifest: Manifest, proof: SnapshotProof, seededObjects: number): void {
  const objects = Object.values(manifest.inventory).reduce((sum, count) => sum + count, 0);
  narrator.check('verified, by a majority of the members', manifest.verified, true);
  narrator.check('etcdutl snapshot status gives the hash of the manifest', proof.status.hash, manifest.statusHash);
  narrator.check('and its revision', proof.status.revision, manifest.revision);
  narrator.check('and its keys', proof.status.totalKeys, manifest.totalKeys);
  narrator.check('a member booted from it holds the objects of the inventory', proof.restored.keys, objects);
  narrator.check('which are those that were written', proof.restored.objects, seededObjects);
  narrator.check('and answers HashKV as the live members did', proof.restored.hashKv, manifest.hashKv.hash);
}

/** Commands that can be pasted into another terminal while the demo runs. */
export function whereToLook(narrator: Narrator, cloud: LocalCloud, lifeboat: Deployment, etcd: EtcdCluster): void {
  const environment = Object.entries(commandEnvironment(cloud.endpoint)).map(([name, value]) => `${name}=${value}`);
  narrator.say(`      export ${environment.join(' ')}`);
  narrator.say(`      aws s3 ls --recursive s3://${lifeboat.bucket}/`);
  narrator.say(`      echo '{"trigger": "manual", "note": "by hand"}' | \\`);
  narrator.say(`        aws lambda invoke --function-name ${lifeboat.takeSnapshotFunction} --payload fileb:///dev/stdin /dev/stdout`);
  narrator.say(`      etcd members: ${etcd.endpoints.join(' ')}, their certificates in ${etcd.folder}/pki`);
  narrator.say('\n      A snapshot is taken every minute. Ctrl-C stops everything.\n');
}
