import { FailExchange, fail } from '../../lambdas/exchange/fail';
import { World } from './exchange-world';

const CAUSE = JSON.stringify({
  errorMessage: 'secret lifeboat/prod/pki/authorities/etcd cannot be read',
  errorType: 'StoreFailed',
  trace: [],
});

async function failed(world: World, Cause = CAUSE) {
  if (world.act === undefined || world.act.act === 'end') throw new Error('it has ended');
  const event: unknown = JSON.parse(JSON.stringify({ do: 'fail', state: world.act.state, failure: { Error: 'StoreFailed', Cause } }));
  return fail(world.edges, FailExchange.parse(event));
}

describe('a state that fails', () => {
  test('is told to people, in the report and by the end, with both ways on', async () => {
    const world = new World(1);
    await world.start({ authority: 'etcd' });
    await world.until('TRUSTED');

    const because = /etcd authority stands still: StoreFailed: secret lifeboat\/prod\/pki\/authorities\/etcd cannot be read$/;
    expect(await failed(world)).toMatchObject({
      act: 'end',
      told: {
        outcome: 'HALTED',
        rotation: 'r-1',
        summary: expect.stringMatching(because) as string,
        whatToDo: [/resume/, /abort/].map(match),
      },
    });
    expect(world.messages.at(-1)).toMatchObject({ subject: expect.stringContaining('HALTED') as string, message: match(/cannot be read/) });
    expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ outcome: 'HALTED' });
    expect(world.rotation()?.state).toBe('TRUSTED');
  });

  test('is told though the secret of the authority cannot be read either', async () => {
    const world = new World(1);
    await world.start({ authority: 'etcd' });
    Object.assign(world.edges, { authority: () => Promise.reject(new Error('it is away')) });

    expect(await failed(world, 'plain words')).toMatchObject({ told: { outcome: 'HALTED', summary: match(/StoreFailed: plain words$/) } });
  });

  test('of one that was minted by a run whose answer was lost says how to go on, and not that nothing was minted', async () => {
    const world = new World(1);
    await world.start({ authority: 'etcd' });
    let before = world.act;
    await world.until(() => {
      if (world.rotation() === undefined) before = world.act;
      return world.rotation() !== undefined;
    });
    world.act = before;

    expect(await failed(world)).toMatchObject({ told: { outcome: 'HALTED', whatToDo: [/resume/, /abort/].map(match) } });
  });

  test('of one that heals after a restore says how to heal again, and speaks of no exchange', async () => {
    const world = new World(1);
    await world.start({ heal: 'restore-7' }, 'heal-restore-7');

    expect(await failed(world)).toMatchObject({
      told: { outcome: 'HALTED', summary: match(/cannot be read/), whatToDo: [match(/start \{"heal": "restore-7"\} again/)] },
    });
    expect(JSON.parse(world.reports.at(-1)?.text ?? '')).toMatchObject({ kind: 'pki-heal', restore: 'restore-7', outcome: 'HALTED' });
    expect(JSON.stringify(world.messages)).not.toMatch(/exchange|resume|abort/);
  });

  test('of an execution from which it was taken away in the middle is none', async () => {
    const world = new World(1);
    await world.start({ authority: 'etcd' });
    await world.until('TRUSTED');
    await world.begin({ abort: 'r-1', by: 'ann', because: 'errors' }, 'other');

    expect(await failed(world)).toMatchObject({ told: { outcome: 'NOTED', summary: 'arn:other has taken it up' } });
    expect(world.messages).toEqual([]);
  });
});

const match = (text: RegExp) => expect.stringMatching(text) as string;
