import { idOfKid } from '../accounts/key-id';
import { accountsSoakUntil } from '../accounts/accounts-path';
import type { AccountFilesSeen, AccountsObservation, ApiServerSeen, LegacyToken } from '../accounts/observation';
import { accountKeysOf } from '../accounts/verifying';
import type { Component } from '../authorities/restarts';
import type { ToldNode } from '../certificates/told-node';
import type { AccountsRotation } from '../contract/authority-rotation';
import type { ServiceAccountsSecret } from '../contract/certificates';
import type { AccountsLook } from '../contract/exchange-looks';
import { clusterSeen, expectedNodes, writtenAt } from './cluster-seen';
import type { Before, HeardNow, Looks } from './cluster-seen';

/** What a node told of the keys of service accounts. */
export function accountFilesOf(node: ToldNode): AccountFilesSeen {
  const { host, facts, serviceAccounts } = node;
  const time = writtenAt(node);
  const [publicAt, keyAt] = [time('sa.pub'), time('sa.key')];
  const both = publicAt === undefined || keyAt === undefined ? undefined : publicAt > keyAt ? publicAt : keyAt;
  const filesOf: Readonly<Partial<Record<Component, Date | undefined>>> = { apiserver: both, 'controller-manager': keyAt };
  return {
    name: host,
    runs: facts.processes.map(({ component }) => component),
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
  before: Before,
  heard: HeardNow,
  seen: Looks,
  accounts: AccountsLook | undefined,
  at: Date,
): AccountsObservation {
  const files = heard.told.map(accountFilesOf);
  const legacy = accounts && legacyTokensOf(accounts, document);
  const written = files.flatMap(({ keyWrittenAt }) => keyWrittenAt?.getTime() ?? []);
  return {
    at,
    rotation,
    expected: {
      nodes: expectedNodes(before, heard),
      ...(before.unready && { unready: before.unready }),
      keys: accountKeysOf(document)?.ids ?? [],
    },
    nodes: files,
    ...(accounts && { apiServers: apiServersSeen(accounts) }),
    ...(legacy && { legacy }),
    ...clusterSeen(seen),
    soakUntil: accountsSoakUntil(rotation, written.length === 0 ? undefined : new Date(Math.max(...written))),
  };
}
