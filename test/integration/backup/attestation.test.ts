import { aFollower, makeDiverge } from '../../../local/etcd/diverge';
import type { EtcdMember } from '../../../local/etcd/member';
import { startWorld } from './world';
import type { World } from './world';

jest.setTimeout(180_000);

describe.each(['3.6', '3.5'] as const)('take-snapshot, deployed, when a member of etcd %s has diverged (peer failure 34)', (release) => {
  let world: World;
  let victim: EtcdMember;
  let others: readonly string[];
  beforeAll(async () => {
    world = await startWorld({ megabytes: 10, release });
    victim = await aFollower(world.etcd);
    others = world.etcd.endpoints.filter((endpoint) => endpoint !== victim.clientUrl);
    await makeDiverge(world.etcd, victim);
  });
  afterAll(() => world.stop());

  /** `MemberDiverged` by endpoint, as the function told it since the log had so many lines. */
  async function divergedSince(lines: number): Promise<Record<string, number>> {
    const log = await world.cloud.logs(world.lifeboat.takeSnapshotFunction);
    const told = log.slice(lines).filter((line) => line.includes('"MemberDiverged":'));
    return Object.fromEntries(
      told.map((line): [string, number] => {
        const { Endpoint, MemberDiverged } = JSON.parse(line) as { Endpoint: string; MemberDiverged: number };
        return [Endpoint, MemberDiverged];
      }),
    );
  }
  const logLength = async () => (await world.cloud.logs(world.lifeboat.takeSnapshotFunction)).length;
  const expected = () =>
    Object.fromEntries(world.etcd.endpoints.map((endpoint): [string, number] => [endpoint, Number(endpoint === victim.clientUrl)]));

  test('a snapshot of another member is verified by the majority, and the one that differs is named', async () => {
    await world.pointAt([...others, victim.clientUrl]);
    const lines = await logLength();

    const answer = await world.lifeboat.takeSnapshot();

    const manifest = (await world.lifeboat.snapshots()).at(-1)!;
    expect(answer).toMatchObject({ outcome: 'returned', result: { id: manifest.id, verified: true, diverged: [victim.name] } });
    expect(answer).toMatchObject({ result: { because: `2 of 3 voting members hold the same data, ${victim.name} differs` } });
    const byMember = Object.fromEntries(manifest.hashKv.members.map(({ member, answer: { outcome } }) => [member, outcome]));
    expect(Object.values(byMember).toSorted()).toEqual(['different', 'equal', 'equal']);
    expect(byMember[victim.name]).toBe('different');
    expect(await divergedSince(lines)).toEqual(expected());
  });

  test('a snapshot of that very member is kept, unverified, and a verified one of another is taken in the same run', async () => {
    await world.pointAt([victim.clientUrl, ...others]);
    const before = (await world.lifeboat.snapshots()).length;
    const lines = await logLength();

    const answer = await world.lifeboat.takeSnapshot();

    const [bad, good] = (await world.lifeboat.snapshots()).slice(before);
    expect(bad).toMatchObject({ member: { name: victim.name }, verified: false, hashKv: { verdict: 'minority' } });
    expect(good).toMatchObject({ verified: true, hashKv: { verdict: 'majority' } });
    expect(others).toContain(good!.member.endpoint);
    expect(answer).toMatchObject({
      outcome: 'returned',
      result: { id: good!.id, insteadOf: bad!.id, verified: true, diverged: [victim.name] },
    });
    expect(await divergedSince(lines)).toEqual(expected());
  });

  test('one alarm is on for it, and names the member; the snapshots themselves are well', async () => {
    await world.pointAt(world.etcd.endpoints);
    await world.lifeboat.takeSnapshot();

    const verdicts = await world.cloud.alarms('Lifeboat-demo');

    const states = [...verdicts.values()].map(({ name, state }): [string, string] => [name.replace('Lifeboat-demo/', ''), state]);
    const ofMembers = states.filter(([name]) => name.startsWith('member-diverged/'));
    const nameOf = (endpoint: string) => `member-diverged/${endpoint.replace('https://', '').replace(':', '-')}`;
    expect(Object.fromEntries(ofMembers)).toEqual(
      Object.fromEntries(world.etcd.endpoints.map((endpoint) => [nameOf(endpoint), endpoint === victim.clientUrl ? 'ALARM' : 'OK'])),
    );
    expect(Object.fromEntries(states)).toMatchObject({ 'unverified-snapshot': 'OK', 'backup-failed': 'OK' });
  });
});
