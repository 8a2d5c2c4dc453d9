import { erasOf } from '../../lambdas/authorities/eras';
import { noteEras, readEras } from '../../lambdas/authorities/note-eras';
import type { ConditionalDocument } from '../../lambdas/backup/edges';
import { approve } from '../../lambdas/authorities/approval';
import { advanceTo } from '../../lambdas/authorities/generations';
import { pathOf } from '../../lambdas/authorities/rotation-path';
import type { RotationState } from '../../lambdas/contract/authority-rotation';
import type { AuthoritySecret, ServiceAccountsSecret } from '../../lambdas/contract/certificates';
import { PkiGenerations } from '../../lambdas/contract/pki-generations';
import type { Eras } from '../../lambdas/contract/pki-generations';
import { NOW } from '../pki/pki-world';
import { adopted, begun, idOf, step } from './pki';

const at = (state: RotationState): AuthoritySecret =>
  pathOf('planned')
    .slice(1, pathOf('planned').indexOf(state) + 1)
    .reduce((document, next) => advanceTo(approve(document, 'ann', step), next, step), begun());
const held = (etcd: AuthoritySecret | undefined, accounts?: ServiceAccountsSecret) =>
  erasOf({ authority: async (name) => (name === 'etcd' ? etcd : undefined), serviceAccounts: async () => accounts });

describe('the era of a cluster', () => {
  test('is nothing where nothing is held', async () => expect(await held(undefined)).toEqual({}));

  test('of an authority as it was adopted is the one that signs', async () =>
    expect(await held(adopted())).toEqual({ etcd: { issuing: idOf(1), trusted: [idOf(1)] } }));

  test.each<[RotationState, number, number[]]>([
    ['MINTED', 1, [1]],
    ['TRUSTED', 1, [1, 2]],
    ['ISSUING', 2, [2, 1]],
    ['DISTRUST-CANARY', 2, [2, 1]],
    ['DISTRUSTED', 2, [2]],
  ])('in %s says who signs, whom all trust, and what is under way', async (state, issuing, trusted) =>
    expect(await held(at(state))).toEqual({
      etcd: { issuing: idOf(issuing), trusted: trusted.map(idOf), rotation: { id: 'r-1', state } },
    }),
  );

  test('of service accounts is every key pair that is not closed', async () => {
    const pair = (number: number) => ({ id: idOf(number), publicKey: 'p', since: NOW.toISOString() });
    const generations = [{ ...pair(1), state: 'closed' as const }, pair(2), pair(3)];

    expect(await held(undefined, { version: 1, generations, issuing: idOf(2) })).toEqual({
      'service-accounts': { issuing: idOf(2), trusted: [idOf(2), idOf(3)] },
    });
  });
});

describe('what is noted of it', () => {
  const ERAS: Eras = { etcd: { issuing: idOf(1), trusted: [idOf(1)] } };

  /** One object that is written only over what was read; `meanwhile` is somebody else, before a write. */
  function stored(text?: string, meanwhile: (() => string | undefined)[] = []) {
    const events: string[] = [];
    let version = text === undefined ? 0 : 1;
    const document: ConditionalDocument = {
      read: async () => (text === undefined ? undefined : { text, etag: String(version) }),
      write: async (next, over) => {
        const other = meanwhile.shift()?.();
        if (other !== undefined) [text, version] = [other, version + 1];
        if ((over ?? '0') !== String(version)) return undefined;
        [text, version] = [next, version + 1];
        return String(version);
      },
    };
    const telemetry = { log: (event: string) => void events.push(event), warn: (event: string) => void events.push(event) };
    return { place: { cluster: 'prod', document, telemetry }, events, text: () => text };
  }
  const textOf = (eras: Eras, cluster = 'prod') => JSON.stringify({ version: 1, cluster, notedAt: NOW.toISOString(), eras });

  test('is read again as it was written, and written once', async () => {
    const it = stored();

    await noteEras(
      it.place,
      async () => ERAS,
      () => NOW,
    );
    await noteEras(
      it.place,
      async () => ERAS,
      () => NOW,
    );

    expect(PkiGenerations.parse(JSON.parse(it.text() ?? ''))).toEqual(JSON.parse(textOf(ERAS)));
    expect(await readEras(it.place)).toEqual(ERAS);
    expect(it.events).toEqual(['generations-noted']);
  });

  test('is nothing for a cluster of which nothing is held', async () => {
    const it = stored();

    await noteEras(
      it.place,
      async () => ({}),
      () => NOW,
    );

    expect([it.text(), await readEras(it.place)]).toEqual([undefined, {}]);
  });

  test('after somebody else was faster is what the secrets say by then', async () => {
    const said = [ERAS, { etcd: { issuing: idOf(2), trusted: [idOf(2)] } }];
    const it = stored(undefined, [() => textOf({})]);

    await noteEras(
      it.place,
      async () => said.shift() ?? {},
      () => NOW,
    );

    expect(await readEras(it.place)).toEqual({ etcd: { issuing: idOf(2), trusted: [idOf(2)] } });
  });

  test.each([
    ['no JSON', '{'],
    ['of another cluster', textOf(ERAS, 'prod-eu')],
    ['of another version', textOf(ERAS).replace('1', '2')],
  ])('is not believed where it is %s, and is mended', async (_sentence, text) => {
    const it = stored(text);

    expect(await readEras(it.place)).toEqual({});
    await noteEras(
      it.place,
      async () => ERAS,
      () => NOW,
    );

    expect(await readEras(it.place)).toEqual(ERAS);
    expect(it.events).toEqual(['generations-unread', 'generations-noted']);
  });

  test('stays away from whoever needs it not when it cannot be read or written', async () => {
    const it = stored();
    const document = { read: () => Promise.reject(new Error('no route')), write: () => Promise.reject(new Error('no route')) };

    await noteEras(
      { ...it.place, document },
      async () => ERAS,
      () => NOW,
    );

    expect(await readEras({ ...it.place, document })).toEqual({});
    expect(it.events).toEqual(['generations-not-noted', 'generations-unread']);
  });

  test('is given up when others are always faster', async () => {
    const it = stored(
      undefined,
      Array.from({ length: 9 }, (_, index) => () => textOf({ cluster: { issuing: idOf(1), trusted: [idOf((index % 2) + 1)] } })),
    );

    await noteEras(
      it.place,
      async () => ERAS,
      () => NOW,
    );

    expect(it.events).toEqual(['generations-not-noted']);
  });
});
