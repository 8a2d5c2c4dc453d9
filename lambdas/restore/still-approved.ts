import type { HandedPlan, RestorePlan, RunbookNode } from '../contract/restore';

/**
 * What of the plan that people approved does not hold any more; nothing when it can be carried out. They approved a snapshot, the nodes and
 * members that get it, and that no client sees time run backwards. All else may have moved on: how much is lost, what is free, which warnings there are.
 */
export function brokenPromises(approved: HandedPlan, fresh: RestorePlan): string[] {
  return [
    ...(approved.mode === fresh.mode ? [] : [`it was approved as ${approved.mode} and would be ${fresh.mode} now`]),
    ...(approved.snapshot.id === fresh.snapshot.id ? [] : [`snapshot ${approved.snapshot.id} was approved, not ${fresh.snapshot.id}`]),
    ...(approved.parameters.stage['snapshotSha256'] === fresh.parameters.stage['snapshotSha256']
      ? []
      : [`the manifest of ${fresh.snapshot.id} tells of another file now`]),
    ...differences('members', approved.members.map(memberText), fresh.members.map(memberText)),
    ...differences('nodes with an API server to stop', approved.apiNodes.map(nodeText), fresh.apiNodes.map(nodeText)),
    ...(approved.bump.needed && !fresh.bump.needed
      ? ['etcdutl on these nodes cannot raise the revision any more, so clients would see time run backwards']
      : []),
  ];
}

/** What people did not see when they approved, and what does not speak against it. */
export function sinceApproval(approved: HandedPlan, { loss, warnings }: RestorePlan): string[] {
  const known = new Set(approved.warnings);
  return [
    ...(loss.revisions === undefined ? [] : [`${loss.revisions} revisions are lost by now`]),
    ...warnings.filter((warning) => !known.has(warning)),
  ];
}

const nodeText = ({ host, instanceId }: RunbookNode): string => `${host} ${instanceId}`;
const memberText = ({ name, peerUrls, endpoint, ...node }: RestorePlan['members'][number]): string =>
  `${name} on ${nodeText(node)} (peer ${peerUrls}, client ${endpoint})`;

function differences(what: string, approved: readonly string[], fresh: readonly string[]): string[] {
  const gone = approved.filter((each) => !fresh.includes(each));
  const come = fresh.filter((each) => !approved.includes(each));
  const told = [...gone.map((each) => `${each} is gone`), ...come.map((each) => `${each} has come`)];
  return told.length === 0 ? [] : [`the ${what} are others: ${told.join(', ')}`];
}
