import { dueInOrder, takeInventory } from '../../lambdas/certificates/take-inventory';
import type { ScanInput } from '../../lambdas/certificates/take-inventory';
import type { LeafVerdict } from '../../lambdas/certificates/judge-leaf';
import type { ServedPort } from '../../lambdas/contract/certificate-scan';
import type { LeafName } from '../../lambdas/contract/certificate-names';
import { NOW, authority, certificate, idOf, inDays, toldNode } from './told-nodes';

const id = (number: number): string => toldNode(number).instanceId;
const fresh = (leaf: LeafName): LeafVerdict => ({ leaf, action: 'keep', reason: 'fresh', message: 'it lasts 300 days more' });
const renew = (leaf: LeafName, reason: Extract<LeafVerdict, { action: 'renew' }>['reason']): LeafVerdict => ({
  leaf,
  action: 'renew',
  reason,
  message: 'so',
});
const port = (number: number, change: Partial<ServedPort> = {}): ServedPort => ({
  ...{ instanceId: id(number), leaf: 'apiserver', host: `10.0.0.${number}`, port: 6443, sha256: idOf(`apiserver of ${number}`) },
  ...{ notAfter: inDays(300).toISOString(), because: 'both sides accept each other', ...change },
});
const ends = (number: number, days: number) =>
  toldNode(number, { leaves: new Map([['apiserver', certificate(`apiserver of ${number}`, { notAfter: inDays(days) })]]) });
const inventory = (change: Partial<ScanInput> = {}) =>
  takeInventory({
    ...{ cluster: 'prod', told: [toldNode(1)], silent: [], served: [port(1)], now: NOW },
    verdicts: new Map([[id(1), [fresh('apiserver')]]]),
    ...change,
  });

describe('takeInventory', () => {
  test('lists what is in each file and at each port, and finds nothing wrong where they agree', () => {
    const { nodes, findings, daysLeft, authorities } = inventory();

    expect(findings).toEqual([]);
    expect(daysLeft).toBe(300);
    expect(nodes[0]).toMatchObject({
      host: 'master-1',
      certificates: [{ leaf: 'apiserver', verdict: 'keep' }],
      served: [{ leaf: 'apiserver', port: 6443 }],
    });
    expect(authorities.map(({ authority: name }) => name)).toEqual(['cluster', 'etcd', 'front-proxy']);
  });

  test('finds a port that goes on serving the certificate before', () => {
    const served = [port(1, { sha256: idOf('old'), notAfter: inDays(3).toISOString() })];

    const { findings, daysLeft } = inventory({ served });

    expect(findings).toMatchObject([
      {
        severity: 'wrong',
        where: 'master-1',
        what: expect.stringMatching(/apiserver at 10\.0\.0\.1:6443 serves another certificate than its file/) as string,
      },
    ]);
    expect(daysLeft).toBe(3);
  });

  test('finds a port that gives none, and says why', () => {
    const { findings } = inventory({ served: [port(1, { sha256: undefined, notAfter: undefined, because: 'connect ECONNREFUSED' })] });

    expect(findings[0]?.what).toBe('apiserver at 10.0.0.1:6443 gives no certificate: connect ECONNREFUSED');
  });

  test('keeps a node that tells nothing, with the reason', () => {
    const silent: ScanInput['silent'] = [{ instanceId: id(2), host: 'master-2', outcome: 'undeliverable', because: 'its agent is away' }];

    const { nodes, findings } = inventory({ silent });

    expect(nodes[1]).toEqual({
      instanceId: id(2),
      host: 'master-2',
      certificates: [],
      served: [],
      silent: 'undeliverable, its agent is away',
    });
    expect(findings).toMatchObject([{ severity: 'wrong', where: 'master-2' }]);
  });

  test('names every authority once, however many nodes have it', () => {
    const told = [toldNode(1), toldNode(2), toldNode(3, { authorities: new Map([['cluster', authority('next')]]) })];

    expect(inventory({ told }).authorities.map(({ subject }) => subject)).toEqual([
      'CN=kubernetes',
      'CN=etcd-ca',
      'CN=front-proxy-ca',
      'CN=next',
    ]);
  });

  test('says nothing of days where nobody told of any certificate', () => {
    expect(inventory({ told: [], served: [], verdicts: new Map() })).not.toHaveProperty('daysLeft');
  });
});

describe('dueInOrder', () => {
  const verdictsOf = (...each: [number, LeafVerdict[]][]): ScanInput['verdicts'] =>
    new Map(each.map(([number, verdicts]) => [id(number), verdicts]));

  test.each<[string, [number, LeafVerdict[]][], string | undefined]>([
    [
      'nobody while all last',
      [
        [1, [fresh('apiserver')]],
        [2, [fresh('apiserver')]],
      ],
      undefined,
    ],
    [
      'the one whose certificate ends first',
      [
        [1, [renew('apiserver', 'expires-soon')]],
        [2, [renew('apiserver', 'expires-soon')]],
      ],
      'master-2',
    ],
    [
      'one with a certificate that does not do its work before one that ends soon',
      [
        [1, [renew('apiserver', 'san-missing')]],
        [2, [renew('apiserver', 'expires-soon')]],
      ],
      'master-1',
    ],
    ['one whose certificate is missing', [[2, [renew('etcd/peer', 'missing')]]], 'master-2'],
  ])('takes %s', (_sentence, verdicts, host) => {
    expect(dueInOrder(verdictsOf(...verdicts), [ends(1, 20), ends(2, 10)])[0]?.host).toBe(host);
  });
});
