import { styleText } from 'node:util';
import type { Manifest } from '../../lambdas/contract/manifest';
import type { RestoreReport } from '../../lambdas/contract/restore';
import type { LocalCloud } from '../cloud';
import { commandEnvironment } from '../cloud/clients';
import type { Deployment } from '../deployment';
import { megabytes } from '../narrator';
import type { Narrator } from '../narrator';
import type { LocalNodes } from '../nodes';
import { DELETED } from './live-data';
import type { MemberData, OldData } from './live-data';

const WIDTH = 118;

/** As a person gets it; only lines that are longer than a screen are broken. */
export function showQuestion(narrator: Narrator, question: string): void {
  narrator.title('The message that somebody gets');
  const bar = styleText('cyan', '│');
  for (const line of question.split('\n').flatMap(broken)) narrator.say(`      ${bar} ${line}`.trimEnd());
  narrator.say();
}

function broken(line: string): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current.trim() !== '' && current.length + word.length > WIDTH) {
      lines.push(current.trimEnd());
      current = '    ';
    }
    current += `${word} `;
  }
  return [...lines, current.trimEnd()];
}

export interface Back {
  readonly snapshot: Manifest;
  /** Before the restore, and after. */
  readonly lost: readonly MemberData[];
  readonly restored: readonly MemberData[];
  /** Names of members that still have what was written after the snapshot. */
  readonly late: () => Promise<readonly string[]>;
  /** The highest revision that any client was answered before. */
  readonly served: number;
  readonly report: RestoreReport;
}

const OTHERS = 5;
/** Those of API servers that are gone: a restore removes them, and API servers that are there write their own. */
const MASTER_LEASES = 'masterleases';

/** Everything of the manifest on all members, and nothing else. */
export async function checkBack(narrator: Narrator, { nodes }: LocalNodes, back: Back): Promise<void> {
  const { snapshot, lost, restored, late, served, report } = back;
  const names = Object.keys(snapshot.inventory).sort((a, b) => (snapshot.inventory[b] ?? 0) - (snapshot.inventory[a] ?? 0));
  const others = names.filter((name) => !DELETED.includes(name) && name !== MASTER_LEASES);
  const sum = (from: Readonly<Record<string, number>>, of: readonly string[]) => of.reduce((total, name) => total + (from[name] ?? 0), 0);
  const row = (what: string, of: readonly string[]) => [
    what,
    sum(snapshot.inventory, of),
    sum(lost[0]?.inventory ?? {}, of),
    ...restored.map(({ inventory }) => sum(inventory, of)),
  ];
  const shown = [...DELETED, ...others.slice(0, OTHERS)];
  const rest = others.slice(OTHERS);
  narrator.say();
  narrator.table(
    ['objects', 'in the snapshot', 'after the deletion', ...restored.map(({ name }) => name)],
    [...shown.map((name) => row(name, [name])), ...(rest.length > 0 ? [row(`${rest.length} more resources`, rest)] : [])],
  );
  narrator.say(`      ${MASTER_LEASES} are not in it: a restore removes those of API servers that are gone\n`);
  const expected = names.filter((name) => name !== MASTER_LEASES).length;
  for (const { name, inventory } of restored)
    narrator.check(
      `resources of which ${name} has as many objects as the manifest`,
      equalResources(snapshot.inventory, inventory),
      expected,
    );
  const hashes = new Set(restored.map(({ hash }) => hash));
  narrator.check(`HashKV of all members (${[...hashes].join(', ')}): different ones`, hashes.size, 1);
  narrator.check('clusters that the members belong to', new Set(restored.map(({ lineage }) => lineage)).size, 1);
  narrator.check('it is a new one', restored[0]?.lineage !== lost[0]?.lineage && restored[0]?.lineage === report.newLineage, true);
  const lowest = Math.min(...restored.map(({ revision }) => revision));
  narrator.check(`revision ${lowest} is above ${served}, the highest that a client was answered`, lowest > served, true);
  narrator.check('members that still have what was written after the snapshot', (await late()).join() || 'none', 'none');
  const ready = await Promise.all(nodes.map((node) => node.apiserverIsReady()));
  narrator.check('API servers that are ready', ready.filter(Boolean).length, nodes.length);
}

/** How many resources have the same number of objects; one that the snapshot lacks counts against them. */
function equalResources(wanted: Readonly<Record<string, number>>, found: Readonly<Record<string, number>>): number {
  const judged = [...new Set([...Object.keys(wanted), ...Object.keys(found)])].filter((name) => name !== MASTER_LEASES);
  return judged.filter((name) => found[name] === wanted[name]).length - judged.filter((name) => !(name in wanted)).length;
}

export function showOldData(narrator: Narrator, kept: readonly OldData[], nodes = 3): void {
  narrator.check('nodes that keep the old data beside the new', kept.length, nodes);
  narrator.say();
  narrator.table(
    ['node', 'old data', 'disk'],
    kept.map(({ node, folder, bytes }) => [node, `/${folder}`, megabytes(bytes)]),
  );
  narrator.say('      it costs that much until the document clean-up removes all but the last two');
}

/** States in which no etcd serves, at least not surely. */
const STOPPED: readonly string[] = ['StopControlPlane', 'StopEtcd', 'RestoreData', 'StartEtcd', 'CheckEtcd'];

export function showTimes(narrator: Narrator, { phases, downtimeSeconds }: RestoreReport, gap: number): void {
  const longest = Math.max(...phases.map(({ seconds }) => seconds));
  const rows = phases.map(({ state, seconds }) => [
    state,
    `${seconds.toFixed(1)} s`.padStart(7),
    (STOPPED.includes(state) ? '█' : '░').repeat(Math.ceil((30 * seconds) / longest)),
  ]);
  narrator.table(['state', 'seconds', '█ counts as without etcd'], rows);
  narrator.say();
  const known = downtimeSeconds ?? Number.NaN;
  narrator.check('the report tells a time without etcd', known > 0, true);
  narrator.say(
    `      ${known.toFixed(1).padStart(5)} s without etcd by the report: from the first stop to the check that found every member serving`,
  );
  narrator.say(`      ${gap.toFixed(1).padStart(5)} s without an answer for a client that reads from any member every 50 ms`);
  narrator.check('the client waited no longer than the report says', gap <= known, true);
}

/** Commands that can be pasted into another terminal while everything runs. */
export function whereToLookNext(narrator: Narrator, cloud: LocalCloud, lifeboat: Deployment, { nodes, endpoints }: LocalNodes): void {
  const environment = Object.entries(commandEnvironment(cloud.endpoint)).map(([name, value]) => `${name}=${value}`);
  narrator.say(`      export ${environment.join(' ')}`);
  narrator.say(`      aws s3 ls --recursive s3://${lifeboat.bucket}/clusters/${lifeboat.cluster}/restores/`);
  narrator.say(`      aws stepfunctions start-execution --state-machine-arn ${lifeboat.restore.arn} --input '{"dryRun": true}'`);
  for (const { name, tree } of nodes) narrator.say(`      ${name}: ${tree.folder}`);
  const pki = `${nodes[0]?.tree.pkiDir ?? ''}/etcd`;
  narrator.say(`      etcdctl --endpoints=${endpoints.join(',')} \\`);
  narrator.say(`        --cacert=${pki}/ca.crt --cert=${pki}/server.crt --key=${pki}/server.key endpoint status -w table`);
  narrator.say('\n      Ctrl-C stops everything.\n');
}
