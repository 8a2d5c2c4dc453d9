import { idOfKid } from '../accounts/key-id';
import { accountsSoakUntil } from '../accounts/accounts-path';
import type { AccountFilesSeen, AccountsObservation, ApiServerSeen, LegacyToken } from '../accounts/observation';
import { accountKeysOf } from '../accounts/verifying';
import type { Component } from '../authorities/restarts';
import { servingPorts } from '../certificates/minted-set';
import type { ToldNode } from '../certificates/told-node';
import type { AccountsRotation } from '../contract/authority-rotation';
import type { ServiceAccountsSecret } from '../contract/certificates';
import type { AccountsLook, AskedAccounts } from '../contract/exchange-looks';
import type { Looks } from './observe';
import { componentsOf } from './rotation-facts-of';

/** The API servers, each by the name of its node. */
export const apiServersOf = (told: readonly ToldNode[]): AskedAccounts['api'] =>
  told.flatMap((node) =>
    servingPorts(node).flatMap(({ leaf, host, port }) => (leaf === 'apiserver' ? [{ place: node.host, host, port }] : [])),
  );

/** What a node told of the keys of service accounts. */
export function accountFilesOf({ host, facts, serviceAccounts }: ToldNode): AccountFilesSeen {
  const time = (name: 'sa.pub' | 'sa.key'): Date | undefined => {
    const at = facts.written[name];
    return at === undefined ? undefined : new Date(at * 1_000);
  };
  const [publicAt, keyAt] = [time('sa.pub'), time('sa.key')];
  const both = publicAt === undefined || keyAt === undefined ? undefined : publicAt > keyAt ? publicAt : keyAt;
  const filesOf: Readonly<Partial<Record<Component, Date | undefined>>> = { apiserver: both, 'controller-manager': keyAt };
  return {
    name: host,
    verifies: serviceAccounts?.keys ?? [],
    signsByFirst: facts.authorityKeys.serviceAccounts,
    processes: facts.processes.flatMap(({ component, startedAt }) => {
      const filesAt = filesOf[component];
      return component in filesOf ? [{ component, startedAt: new Date(startedAt * 1_000), ...(filesAt && { filesAt }) }] : [];
    }),
    ...(keyAt && { keyWrittenAt: keyAt }),
  };
}

/** Components that read other files than those that are exchanged. */
export const accountFilesElsewhere = (told: readonly ToldNode[]): { readonly node: string; readonly component: Component }[] =>
  told.flatMap(({ host, facts: { accountFiles } }) => [
    ...(accountFiles?.apiserver === false ? [{ node: host, component: 'apiserver' as const }] : []),
    ...(accountFiles?.controllerManager === false ? [{ node: host, component: 'controller-manager' as const }] : []),
  ]);

/** What API servers showed, keys as their generations are called. */
export const apiServersSeen = ({ apiServers }: AccountsLook): ApiServerSeen[] =>
  apiServers.map(({ place, verifies, signs, acceptedBy }) => ({
    place,
    verifies: verifies?.map(idOfKid),
    signs: signs === undefined ? undefined : idOfKid(signs),
    acceptedBy: acceptedBy.map(({ place: other, accepted }) => ({ place: other, accepted })),
  }));

/** Tokens that never end, without those by pairs that were closed: nobody accepts them any more. */
export const legacyTokensOf = ({ legacy }: AccountsLook, document: ServiceAccountsSecret | undefined): LegacyToken[] | undefined => {
  const closed = (document?.generations ?? []).filter(({ state }) => state === 'closed').map(({ id }) => id);
  return legacy
    ?.map(({ namespace, name, kid, lastUsed }) => ({ namespace, name, key: kid === undefined ? undefined : idOfKid(kid), lastUsed }))
    .filter(({ key }) => key === undefined || !closed.includes(key));
};

/** Everything that was seen in one round, as gates are judged by it. */
export function observeAccounts(
  document: ServiceAccountsSecret,
  rotation: AccountsRotation,
  before: { readonly voters: number; readonly readyNodes: number },
  { told, silent }: { readonly told: readonly ToldNode[]; readonly silent: readonly { readonly host: string }[] },
  { ports, cluster, etcd }: Looks,
  accounts: AccountsLook | undefined,
  at: Date,
): AccountsObservation {
  const files = told.map(accountFilesOf);
  const legacy = accounts && legacyTokensOf(accounts, document);
  const written = files.flatMap(({ keyWrittenAt }) => keyWrittenAt?.getTime() ?? []);
  return {
    at,
    rotation,
    expected: {
      nodes: [
        ...told.map((node) => ({ name: node.host, runs: componentsOf(node) })),
        ...silent.map(({ host }) => ({ name: host, runs: [] })),
      ],
      ...before,
      keys: accountKeysOf(document)?.ids ?? [],
    },
    nodes: files,
    ...(accounts && { apiServers: apiServersSeen(accounts) }),
    ...(legacy && { legacy }),
    ...(etcd && { etcd }),
    ...(cluster && { readyNodes: cluster.nodes.filter(({ ready }) => ready).length }),
    readyz: ports.flatMap(({ place, ready }) => (ready === undefined ? [] : [{ place, ok: ready }])),
    soakUntil: accountsSoakUntil(rotation, written.length === 0 ? undefined : new Date(Math.max(...written))),
  };
}
