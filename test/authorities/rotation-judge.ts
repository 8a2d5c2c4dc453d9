// Whether a rotation of the model of a cluster may go on by the gates of this room, and whether something is wrong.
import { compareWithRecorded } from '../../lambdas/authorities/derive-state';
import { gatesIn } from '../../lambdas/authorities/gate-names';
import { mayLeave, mayReturn } from '../../lambdas/authorities/gates';
import type { GateVerdict } from '../../lambdas/authorities/gates';
import { approve } from '../../lambdas/authorities/approval';
import { dropCross } from '../../lambdas/authorities/drop-cross';
import { abortTo, advanceTo, close } from '../../lambdas/authorities/generations';
import type { Observation } from '../../lambdas/authorities/observation';
import { returnGatesOf } from '../../lambdas/authorities/return-gates';
import { stateAfter, stateBefore } from '../../lambdas/authorities/rotation-path';
import { servedCross } from '../../lambdas/authorities/trust';
import { linksIn, up } from './cluster-model';
import type { World } from './cluster-model';
import { step } from './pki';
import { lookAtPorts, observe } from './rotation-observation';
import { OLD, endOf } from './rotation-run';
import type { Run } from './rotation-run';

/** Goes on, or back, if the gates are open. */
export function move(run: Run): void {
  const { rotation } = run.document;
  if (rotation === undefined || !verdictOf(run, observe(run)).open) return;
  const back = rotation.abortRequested === undefined ? undefined : stateBefore(rotation.mode, rotation.state);
  if (back !== undefined) run.document = abortTo(run.document, back, step);
  else {
    const next = stateAfter(rotation.mode, rotation.state);
    const last = servedCross(run.document) === undefined ? close : dropCross;
    run.document = next === undefined ? last(run.document, step) : advanceTo(approve(run.document, 'ann', step), next, step);
    if (next === 'ISSUING') run.issuingSince = run.world.now;
  }
  // On the way back only there all is proven again; what trusts the old root alone keeps nobody from going back to it.
  if (back === undefined || back === 'MINTED') for (const node of run.world.nodes) node.stale = false;
  run.stateSince = run.world.now;
  if (back === undefined || returnGatesOf(rotation).length > 0) run.provenAt = run.world.now;
}

/** What the gates say of going on, or back. */
export function verdictOf({ document: { rotation }, setting: { without }, world: { authority } }: Run, seen: Observation): GateVerdict {
  const { state, abortRequested, mode } = rotation!;
  const { gates = [], returnGates = [] } = without ?? {};
  if (abortRequested !== undefined) {
    const names = returnGatesOf(rotation!).filter((gate) => !returnGates.includes(gate));
    return mayReturn(state, seen, names);
  }
  const names = gatesIn(state, authority, mode, seen.rotation.crossDropped).filter((gate) => !gates.includes(gate));
  return mayLeave(state, seen, names);
}

/** Who cannot talk though they must, who trusts what was distrusted, or who would be halted for nothing; undefined when all is well. */
export function faultIn(run: Run): string | undefined {
  const { world, document } = run;
  const broken = linksIn(world, run.quiet).filter(({ works }) => !works);
  const cut = broken.find(({ ends }) => !ends.some(({ stale }) => stale));
  if (cut !== undefined) return `${cut.what} is refused`;
  if (document.rotation === undefined) return endOf(run) === 'closed' ? leftIn(world) : undefined;
  // Without the cross certificate whoever has the old root alone in memory is cut off when it connects anew.
  const { crossDroppedAt, abortRequested } = document.rotation;
  const left = crossDroppedAt !== undefined && abortRequested === undefined ? leftIn(world) : undefined;
  if (left !== undefined) return left;
  if (broken.length > 0 && provesAll(run) && verdictOf(run, observe(run)).open) return `${broken[0]!.what} is refused, and no gate sees it`;
  if (world.nodes.some(({ lost, stale }) => lost || stale)) return undefined;
  const compared = compareWithRecorded(lookAtPorts(run), document);
  return compared.verdict === 'agree' ? undefined : `it halts: ${compared.because[0]!}`;
}

/** On the way back most states only give trust back, which needs no proof. */
const provesAll = ({ document: { rotation } }: Run): boolean => rotation?.abortRequested === undefined || rotation.state === 'TRUSTED';

function leftIn(world: World): string | undefined {
  const left = up(world).find(
    ({ stale, disk, processes }) => !stale && [...disk.files.values(), ...processes.values()].some(({ trust }) => trust.includes(OLD)),
  );
  return left && `${left.name} trusts the old root without the cross certificate`;
}
