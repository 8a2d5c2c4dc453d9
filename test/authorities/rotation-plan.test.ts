import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { planRotation } from '../../lambdas/authorities/rotation-plan';
import type { RotationPlan } from '../../lambdas/authorities/rotation-plan';
import type { NodeFacts, RotationFacts, RotationRequest } from '../../lambdas/authorities/rotation-facts';
import type { RotationMode, RotationState } from '../../lambdas/contract/authority-rotation';
import { AuthorityName } from '../../lambdas/contract/certificate-names';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import { Oid } from '../../lambdas/pki/oids';
import { integer, sequence, yes } from '../../lambdas/pki/write-der';
import { NOW, inDays } from '../pki/pki-world';
import { extension, remake, replacing } from '../pki/remake';
import { facts, leaf, plane, request, worker } from './facts';
import { adopted, begun, idOf, root } from './pki';

type Going = Extract<RotationPlan, { decision: 'rotate' }>;
const going = (about: RotationFacts, asked: RotationRequest): Going => {
  const plan = planRotation(about, asked);
  if (plan.decision === 'rotate') return plan;
  throw new Error(plan.because);
};
const refused = (about: RotationFacts, asked: RotationRequest): Extract<RotationPlan, { decision: 'refuse' }> => {
  const plan = planRotation(about, asked);
  if (plan.decision === 'refuse') return plan;
  throw new Error('it was not refused');
};
const stateOf = (plan: Going, state: RotationState) => plan.states.find((each) => each.state === state)!;
const restarts = (plan: Going, state: RotationState) => stateOf(plan, state).restarts.map(({ node, component }) => `${node} ${component}`);

describe('a planned rotation', () => {
  test('goes through every state, with a gate and a way back each', () => {
    const { states } = going(facts('cluster'), request('cluster'));

    expect(states.map(({ state }) => state)).toEqual(['MINTED', 'TRUSTED', 'ISSUING', 'SOAKING', 'DISTRUST-CANARY', 'DISTRUSTED']);
    for (const { does, gates, wayBack } of states) {
      expect(does.length).toBeGreaterThan(0);
      expect(gates.length).toBeGreaterThan(3);
      expect(wayBack).not.toMatch(/^none/);
    }
  });

  test('of the cluster restarts whoever has a kubeconfig each time that changes, on no worker; no apiserver and no etcd', () => {
    const plan = going(facts('cluster'), request('cluster', { canary: 'cp-2' }));
    const holders = (...nodes: string[]) =>
      nodes.flatMap((node) => ['controller-manager', 'scheduler', 'kubelet'].map((component) => `${node} ${component}`));

    for (const state of ['TRUSTED', 'ISSUING', 'DISTRUSTED'] as const)
      expect(restarts(plan, state)).toEqual(holders('cp-1', 'cp-2', 'cp-3'));
    expect(restarts(plan, 'DISTRUST-CANARY')).toEqual(holders('cp-2'));
    for (const state of ['MINTED', 'SOAKING'] as const) expect(restarts(plan, state)).toEqual([]);
    // Once for whom they trust, which the first one has done before, and once more when the cross certificate goes.
    const counts = stateOf(plan, 'DISTRUSTED').restarts.filter(({ component }) => component === 'kubelet');
    expect(counts.map(({ node, count }) => [node, count])).toEqual([
      ['cp-1', 2],
      ['cp-2', 1],
      ['cp-3', 2],
    ]);
    expect(plan.states.flatMap((each) => each.restarts).filter(({ component }) => ['apiserver', 'etcd'].includes(component))).toEqual([]);
  });

  test('of etcd restarts etcd once on each node, together with its apiserver, one node before the others', () => {
    const plan = going(facts('etcd'), request('etcd', { canary: 'cp-2' }));

    expect(restarts(plan, 'DISTRUST-CANARY')).toEqual(['cp-2 etcd', 'cp-2 apiserver']);
    expect(restarts(plan, 'DISTRUSTED')).toEqual(['cp-1 etcd', 'cp-1 apiserver', 'cp-3 etcd', 'cp-3 apiserver']);
    for (const state of ['MINTED', 'TRUSTED', 'ISSUING', 'SOAKING'] as const) expect(restarts(plan, state)).toEqual([]);
    expect(stateOf(plan, 'DISTRUSTED').restarts[1]?.because).toMatch(/out of the balancer before/);
  });

  test('of the front proxy restarts nothing', () => {
    expect(going(facts('front-proxy'), request('front-proxy')).states.flatMap((each) => each.restarts)).toEqual([]);
  });

  test('waits for kubelet clients longer than they were seen to take, for clients a week, and for the first place half an hour', () => {
    const waits = (plan: Going) => plan.states.filter((each) => each.waits > 0).map(({ state, waits: seconds }) => [state, seconds]);

    expect(waits(going(facts('cluster'), request('cluster')))).toEqual([
      ['ISSUING', 128],
      ['SOAKING', 604_800],
      ['DISTRUST-CANARY', 1_800],
      ['DISTRUSTED', 1_800],
    ]);
    expect(waits(going(facts('etcd'), request('etcd', { soakSeconds: 60 })))).toEqual([
      ['SOAKING', 60],
      ['DISTRUST-CANARY', 1_800],
      ['DISTRUSTED', 1_800],
    ]);
  });

  test.each([
    ['cluster', 1, undefined],
    ['etcd', 3, undefined],
    ['etcd', 1, /only control-plane node restarts/],
  ] as const)('of %s with %i control-plane nodes tells the interruption', (authority, count, told) => {
    const nodes = ['cp-1', 'cp-2', 'cp-3'].slice(0, count).map((name) => plane(name));
    const { downtime } = going(facts(authority, { nodes, etcd: { voters: count, healthy: count, learners: 0 } }), request(authority));

    if (told === undefined) expect(downtime).toBeUndefined();
    else expect(downtime).toMatch(told);
  });

  test('is planned the same while it is under way', () => {
    const under = facts('etcd', { document: begun(), underWay: [{ of: 'etcd', id: 'r-1', state: 'MINTED' }] });

    expect(going(under, request('etcd')).states).toEqual(going(facts('etcd'), request('etcd')).states);
  });
});

describe('after a compromise', () => {
  test.each(AuthorityName.options)(
    'of %s nobody waits, nothing is tried at one place, and the apiservers end what is open',
    (authority) => {
      const plan = going(facts(authority), request(authority, { mode: 'compromise' }));

      expect(plan.states.map(({ state }) => state)).toEqual(['MINTED', 'TRUSTED', 'ISSUING', 'DISTRUSTED']);
      expect(restarts(plan, 'DISTRUSTED')).toEqual(expect.arrayContaining(['cp-1 apiserver', 'cp-2 apiserver', 'cp-3 apiserver']));
      expect(stateOf(plan, 'DISTRUSTED').wayBack).toMatch(/^none/);
      expect(plan.downtime).toBeDefined();
      expect(JSON.stringify(stateOf(plan, 'ISSUING').does)).not.toContain('cross certificate');
    },
  );

  test('of etcd its members know the new root before it signs anything', () => {
    expect(restarts(going(facts('etcd'), request('etcd', { mode: 'compromise' })), 'TRUSTED')).toEqual(
      ['cp-1', 'cp-2', 'cp-3'].flatMap((node) => [`${node} etcd`, `${node} apiserver`]),
    );
  });

  test('needs no cross certificate of a root that cannot give one', () => {
    expect(planRotation(facts('etcd', { document: limited('pathlen') }), request('etcd', { mode: 'compromise' })).decision).toBe('rotate');
  });
});

const limited = (limit: 'pathlen' | 'names'): AuthoritySecret => {
  const made =
    limit === 'pathlen'
      ? extension(Oid.basicConstraints, sequence(yes(), integer(Buffer.of(0))), true)
      : extension(Oid.nameConstraints, sequence(), true);
  return withRoot(remake(root(1).cert, root(1).key, (parts) => ({ extensions: replacing(parts, made) })));
};
const withRoot = (certificate: string): AuthoritySecret => {
  const document = adopted();
  return { ...document, generations: [{ ...document.generations[0]!, certificate }] };
};
const external = (): AuthoritySecret => {
  const { key: _, ...first } = adopted().generations[0]!;
  return { ...adopted(), generations: [first] };
};
const clockless = ({ clockOff: _, ...node }: NodeFacts): NodeFacts => node;
const nodes = (changed: Parameters<typeof plane>[1]) => [plane('cp-1'), plane('cp-2', changed), plane('cp-3')];
/** Seconds before the end of root 1, which is in 1825 days. */
const beforeItsEnd = (days: number) => ({ now: inDays(1825 - days), snapshot: { id: 's', takenAt: inDays(1825 - days) } });

describe('is refused, with what to do', () => {
  test.each<[string, Partial<RotationFacts>, RegExp, RegExp]>([
    [
      'while another authority rotates',
      { underWay: [{ of: 'cluster', id: 'r-0', state: 'SOAKING' }] },
      /r-0 of cluster.*SOAKING/,
      /abort it/,
    ],
    ['while service accounts rotate', { underWay: [{ of: 'service-accounts', id: 'r-1', state: 'SIGNING' }] }, /service-accounts/, /abort/],
    ['while somebody holds the lock', { lockedBy: 'restore-7' }, /restore-7 holds/, /wait until restore-7/],
    ['for a cluster that was never adopted', { document: undefined }, /holds no etcd authority/, /adopt/],
    ['for a document that names no signer', { document: { ...adopted(), issuing: idOf(2) } }, /no generation/, /mend/],
    ['for an external CA', { document: external() }, /external CA/, /where its key is/],
    ['for an old root with pathlen 0', { document: limited('pathlen') }, /pathlen:0/, /mode compromise/],
    ['for an old root with name constraints', { document: limited('names') }, /name constraints/, /mode compromise/],
    ['for an old root that ends before', beforeItsEnd(0.1), /ends 2031-.*in 8640 s.*needs \d+ s/, /mode compromise/],
    ['when a node is missing', { missing: ['cp-9'] }, /missing: cp-9/, /start them/],
    ['when a node did not tell', { nodes: nodes({ told: false }) }, /did not tell.*cp-2/, /reachable/],
    ['when no control-plane node is there', { nodes: [worker('w-1', { leaves: [] })] }, /no control-plane node/, /tags/],
    ['when a clock is off', { nodes: nodes({ clockOff: -61 }) }, /cp-2 is off by -61 s, and 60/, /NTP/],
    ['when a clock is not known', { nodes: [plane('cp-1'), clockless(worker('w'))] }, /of w is not known/, /NTP/],
    ['when etcd does not answer', { etcd: undefined }, /etcd did not answer/, /reachable/],
    ['when etcd has no member to spare', { etcd: { voters: 3, healthy: 2, learners: 0 } }, /2 of 3.*2 would not be left/, /replace/],
    ['when two members are all', { etcd: { voters: 2, healthy: 2, learners: 0 } }, /2 of 2/, /replace/],
    ['when etcd has a learner', { etcd: { voters: 3, healthy: 3, learners: 1 } }, /1 learner/, /promoted/],
    ['without a verified snapshot', { snapshot: undefined }, /no verified snapshot/, /take one/],
    [
      'with an old snapshot alone',
      { snapshot: { id: 's-0', takenAt: new Date(NOW.getTime() - 3_601_000) } },
      /s-0 is 3601 s old/,
      /take one/,
    ],
    [
      'when a leaf is by another root',
      { nodes: nodes({ leaves: [leaf('etcd/peer', idOf(2))] }) },
      /cp-2 has leaves.*etcd\/peer by/,
      /repair/,
    ],
    [
      'when a leaf is by a stranger',
      { nodes: nodes({ leaves: [{ ...leaf('etcd/peer'), issuer: undefined }] }) },
      /by a stranger/,
      /repair/,
    ],
    ['when a leaf has an ECDSA key', { nodes: nodes({ leaves: [leaf('etcd/peer', idOf(1), 'ECDSA-P256')] }) }, /ECDSA-P256/, /by hand/],
  ])('%s', (_, changed, because, instead) => {
    const plan = refused(facts('etcd', changed), request('etcd'));

    expect(plan.because).toMatch(because);
    expect(plan.instead).toMatch(instead);
  });

  test.each(['shared', undefined] as const)('for the cluster where a controller-manager signs by a file that is %s', (signer) => {
    const { signer: _, ...rest } = plane('cp-2');
    const one = { ...rest, ...(signer && { signer }) };
    const about = { nodes: [plane('cp-1'), one, plane('cp-3')] };

    const plan = refused(facts('cluster', about), request('cluster'));
    expect(plan.because).toMatch(/cp-2 signs by/);
    expect(plan.instead).toMatch(/splits/);
    expect(planRotation(facts('etcd', about), request('etcd')).decision).toBe('rotate');
  });

  test('for a root with an ECDSA key', () => {
    const { publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
    });
    const certificate = remake(root(1).cert, root(1).key, () => ({ publicKey }));

    expect(refused(facts('etcd', { document: withRoot(certificate) }), request('etcd')).because).toMatch(/the root ECDSA-P256/);
  });

  test('when a node that is none is to distrust first', () => {
    const plan = refused(facts('etcd'), request('etcd', { canary: 'w-1' }));

    expect(plan.because).toMatch(/w-1 is to distrust first/);
    expect(plan.instead).toBe('name one of cp-1, cp-2, cp-3');
  });

  test('with all reasons at once', () => {
    const plan = refused(facts('etcd', { lockedBy: 'x', snapshot: undefined, etcd: undefined }), request('etcd'));

    expect(plan.all.map(({ because }) => because)).toEqual([
      'x holds the lock of the cluster',
      'etcd did not answer',
      'there is no verified snapshot',
    ]);
  });
});

describe('is not refused', () => {
  test.each<[string, Partial<RotationFacts>, Partial<RotationRequest>]>([
    ['for the lock of whom it is done for', { lockedBy: 'run-1' }, { onBehalfOf: 'run-1' }],
    ['for a clock that is off by the limit', { nodes: nodes({ clockOff: 60 }) }, {}],
    ['for leaves of other authorities', { nodes: nodes({ leaves: [leaf('apiserver', idOf(3), 'ECDSA-P256')] }) }, {}],
    ['for a snapshot as old as the limit', { snapshot: { id: 's', takenAt: new Date(NOW.getTime() - 3_600_000) } }, {}],
    ['for a cluster with one member of etcd', { nodes: [plane('cp-1')], etcd: { voters: 1, healthy: 1, learners: 0 } }, {}],
  ])('%s', (_, changed, asked) => expect(planRotation(facts('etcd', changed), request('etcd', asked)).decision).toBe('rotate'));

  test('for the keys that kubelets make themselves', () => {
    const renewed = { nodes: nodes({ leaves: [leaf('kubelet.conf', idOf(1), 'ECDSA-P256')] }) };

    expect(planRotation(facts('cluster', renewed), request('cluster')).decision).toBe('rotate');
  });
});

test('for any cluster nothing restarts twice in a state, and only what runs there', () => {
  const cluster = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 4 }));
  fc.assert(
    fc.property(
      cluster,
      fc.constantFrom(...AuthorityName.options),
      fc.constantFrom<RotationMode>('planned', 'compromise'),
      ([planes, workers], of, mode) => {
        const all = [
          ...Array.from({ length: planes }, (_, at) => plane(`cp-${at}`)),
          ...Array.from({ length: workers }, (_, at) => worker(`w-${at}`)),
        ];
        const etcd = { voters: 3, healthy: 3, learners: 0 };
        const plan = going(facts(of, { nodes: all, etcd }), request(of, { mode }));
        const etcdStarts = plan.states.flatMap((each) => each.restarts).filter(({ component }) => component === 'etcd');
        if (of === 'etcd') expect(etcdStarts).toHaveLength(planes * (mode === 'planned' ? 1 : 2));
        else expect(etcdStarts).toEqual([]);
        for (const { restarts: planned } of plan.states) {
          const places = planned.map(({ node, component }) => `${node} ${component}`);
          expect(new Set(places).size).toBe(places.length);
          for (const { node, component } of planned) expect(all.find(({ name }) => name === node)?.runs).toContain(component);
        }
      },
    ),
  );
});
