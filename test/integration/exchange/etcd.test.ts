import { AuthoritySecret } from '../../../lambdas/contract/certificates';
import type { Execution } from '../../../local/cloud';
import { startWriter } from '../../support/steady-writer';
import { CertificateWorld } from '../certificates/world';

jest.setTimeout(600_000);

const QUICK = { authority: 'etcd', approval: 'automatic', soakSeconds: 0, canarySeconds: 0, waitForNodesSeconds: 10 };

describe('exchanging the authority of etcd, deployed', () => {
  let world: CertificateWorld;
  beforeAll(async () => {
    world = await CertificateWorld.start();
    await world.adopt();
    await world.nothingIsPending();
    await world.lifeboat.takeSnapshot();
  });
  afterAll(() => world.stop());

  const start = (input: object): Promise<Execution> => world.lifeboat.rotateCa!.start(input);
  const document = async () => AuthoritySecret.parse(await world.authority('etcd'));

  test('from the first state to the last, while writes go on', async () => {
    const before = await document();
    const stop = startWriter(world.nodes.endpoints, world.nodes.credentials, 'exchange/');

    const execution = await start(QUICK);
    const end = await execution.wait({ timeoutMs: 400_000 }).catch((error: unknown) => ({ status: 'TIMEOUT', error: String(error).slice(0, 100) }));
    const { written, failed } = await stop();

    if (end.status !== 'SUCCEEDED') {
      console.log(JSON.stringify(end), JSON.stringify((await execution.history()).slice(-12)));
      console.log((await world.functionLogs()).filter((line) => /exchange|not-seen|error|gates|failed|rotation-step/i.test(line)).map((line) => line.replace(/"(service|sampling_rate|cluster|level|secret|version)":[^,]*,?/g, '')).join('\n').slice(-30000));
    }
    expect(end).toMatchObject({ status: 'SUCCEEDED' });
    console.log(JSON.stringify(end), written.length, failed);
    const after = await document();
    expect(after.rotation).toBeUndefined();
    expect(after.issuing).not.toBe(before.issuing);
    for (const node of world.nodes.nodes) expect(world.read(node, 'pki/etcd/ca.crt')).toBe(after.generations.at(-1)?.certificate);
  });
});
