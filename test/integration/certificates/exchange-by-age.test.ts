import type { AuthorityName } from '../../../lambdas/contract/certificate-names';
import { AuthoritySecret } from '../../../lambdas/contract/certificates';
import { waitUntil } from '../../../local/child-process';
import { CertificateWorld } from './world';

jest.setTimeout(900_000);

/** Local authorities end in ten years: by this that of etcd is near its end, and no other. */
const BY_AGE = { caValidityYears: 30, authorities: { exchange: 'scheduled', rotateBeforeDays: { etcd: 5475 } } };

describe('looking at the authorities once a day', () => {
  let world: CertificateWorld;
  beforeAll(async () => {
    world = await CertificateWorld.start({ certificates: BY_AGE });
    expect((await world.adopt()).report?.outcome).toBe('ADOPTED');
    await world.nothingIsPending();
    await world.lifeboat.takeSnapshot();
  });
  afterAll(() => world.stop());

  async function look(): Promise<void> {
    const execution = await world.lifeboat.scan?.start({ waitForNodesSeconds: 1, renew: false });
    expect(await execution?.wait({ timeoutMs: 120_000 })).toMatchObject({ status: 'SUCCEEDED' });
  }

  test('begins the exchange of the authority that is near its end, once, and asks as ever before anything is distrusted', async () => {
    const rotationOf = async (name: AuthorityName) => AuthoritySecret.parse(await world.authority(name)).rotation;

    await look();
    // The nodes that have no set so far get theirs first.
    await waitUntil('it is begun', 500_000, async () => (await rotationOf('etcd')) !== undefined, 500);
    await look();

    const rotation = await rotationOf('etcd');
    expect(rotation?.id).toMatch(/^age-etcd-[0-9a-f]{12}-\d{8}$/);
    expect(rotation?.approvedBy).toBeUndefined();
    expect([await rotationOf('cluster'), await rotationOf('front-proxy')]).toEqual([undefined, undefined]);
    const aborted = await world.lifeboat.rotateCa?.start({
      abort: rotation?.id,
      by: 'a test',
      because: 'it was seen',
      waitForNodesSeconds: 10,
    });
    await waitUntil('it is turned back', 400_000, async () => (await rotationOf('etcd')) === undefined, 500);
    await aborted?.wait({ timeoutMs: 200_000 });
  });
});
