import type { ListedMember } from '../etcd/surgeon';

/** What the flags of the node's own etcd say. */
export interface NodeIdentity {
  readonly host: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrl: string;
}

export type Target = { readonly member: ListedMember | undefined } | { readonly because: string; readonly instead: string };

/**
 * Which member a node stands for: the one that is asked for, the one with its peer URL, the one with its name, or else the only one that does
 * not answer. None when every member answers and none is the node's: then there is only one to add.
 *
 * @param lives whether a member serves
 */
export function targetOf(
  members: readonly ListedMember[],
  node: NodeIdentity,
  lives: (member: ListedMember) => boolean,
  wanted?: string,
): Target {
  if (wanted !== undefined) {
    const member = members.find(({ id, name }) => id === wanted || name === wanted);
    if (member !== undefined) return { member };
    return {
      because: `there is no member ${wanted}`,
      instead: `give one of ${members.map(describe).join(', ')}, or leave member out`,
    };
  }
  const byUrl = members.find(({ peerUrls }) => peerUrls.some((url) => node.peerUrls.includes(url)));
  const byName = members.find(({ name }) => name === node.name);
  if (byUrl !== undefined && byName !== undefined && byUrl.id !== byName.id)
    return {
      because: `etcd on ${node.host} has the peer URL of ${describe(byUrl)} and the name of ${describe(byName)}`,
      instead: 'correct its --name or --initial-advertise-peer-urls, so that both are of the member that is replaced',
    };
  const own = byUrl ?? byName;
  if (own !== undefined) return { member: own };
  const silent = members.filter((member) => !lives(member));
  if (silent.length <= 1) return { member: silent[0] };
  return {
    because: `${silent.map(describe).join(' and ')} do not answer, and neither is the member of ${node.host} by name or peer URL`,
    instead: 'say with "member" which of them is replaced',
  };
}

export const describe = ({ id, name, peerUrls }: ListedMember): string =>
  `${name === '' ? 'a member that never started' : name} (${id}, ${peerUrls.join(' ')})`;
