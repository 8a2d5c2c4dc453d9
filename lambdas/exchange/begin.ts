import { z } from 'zod';
import { approve, driveBy, requestAbort } from '../authorities/generations';
import type { Step } from '../authorities/generations';
import { abortPair, approvePair, drivePairBy } from '../accounts/key-generations';
import { AuthorityName } from '../contract/certificate-names';
import type { Exchangeable } from '../contract/certificate-names';
import { parseInput } from '../contract/parse-input';
import { RestoreId } from '../contract/restore';
import { goOn, requestShapeOf } from '../contract/rotate-authority';
import type { Act } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { ExchangeRefused } from './errors';
import { nameOf } from './tell';

export const BeginExchange = z.object({ do: z.literal('begin'), input: z.unknown(), execution: RestoreId, driver: z.string() });

type BeginEdges = Pick<ExchangeEdges, 'authority' | 'change' | 'accounts' | 'changeAccounts' | 'registered' | 'runs' | 'now' | 'telemetry'>;
type Begin = z.infer<typeof BeginExchange>;

/**
 * Takes up what is asked for: a new exchange or its plan, or one that is under way, by its id. Who approves or aborts one whose execution runs is
 * only noted, and heard there; where none runs any more this execution drives it on.
 *
 * @throws ExchangeRefused, GenerationRefused, StoreFailed
 */
export async function begin(edges: BeginEdges, { input, execution, driver }: Begin): Promise<Act> {
  const request = parseInput(requestShapeOf(input), input, ExchangeRefused);
  const asked = (await edges.registered()).map(({ instanceId, host }) => ({ instanceId, host }));
  if (asked.length === 0)
    throw new ExchangeRefused('systems manager knows no control-plane node: tag the instances, and see that their SSM agents run');
  if ('authority' in request) {
    const { authority, waitForNodesSeconds } = request;
    return goOn('look', 0, { rotation: execution, authority, driver, request, asked, waitForNodesSeconds });
  }
  const id = 'approve' in request ? request.approve : 'abort' in request ? request.abort : request.resume;
  const found = await underWay(edges, id);
  const { authority } = found;
  const step = { rotation: id, now: edges.now() };
  if ('approve' in request) await found.approve(request.by, step);
  if ('abort' in request) await found.abort(request.by, request.because, step);
  const present = found.driver;
  if (present !== undefined && present !== driver && (await edges.runs(present))) {
    if ('resume' in request)
      throw new ExchangeRefused(`rotation ${id} of ${nameOf(authority)} is driven by ${present}, which runs: let it`);
    const what = 'approve' in request ? `${request.by} approved` : `${request.by} aborts`;
    return {
      act: 'end',
      told: {
        outcome: 'NOTED',
        rotation: id,
        summary: `${what} rotation ${id}: ${present} hears of it`,
        whatToDo: ['watch that execution'],
      },
    };
  }
  await found.drive(driver, step);
  return goOn('look', 0, { rotation: id, authority, driver, asked, waitForNodesSeconds: request.waitForNodesSeconds });
}

interface UnderWay {
  readonly authority: Exchangeable;
  readonly driver: string | undefined;
  readonly approve: (by: string, step: Step) => Promise<unknown>;
  readonly abort: (by: string, because: string, step: Step) => Promise<unknown>;
  readonly drive: (driver: string, step: Step) => Promise<unknown>;
}

async function underWay(edges: BeginEdges, id: string): Promise<UnderWay> {
  const [accounts, ...documents] = await Promise.all([edges.accounts(), ...AuthorityName.options.map((name) => edges.authority(name))]);
  if (accounts?.rotation?.id === id)
    return {
      authority: 'service-accounts',
      driver: accounts.rotation.driver,
      approve: (by, step) => edges.changeAccounts((each) => approvePair(each, by, step)),
      abort: (by, because, step) => edges.changeAccounts((each) => abortPair(each, by, because, step)),
      drive: (driver, step) => edges.changeAccounts((each) => drivePairBy(each, driver, step)),
    };
  const found = documents.find((document) => document?.rotation?.id === id);
  if (found !== undefined) {
    const { authority } = found;
    return {
      authority,
      driver: found.rotation?.driver,
      approve: (by, step) => edges.change(authority, (each) => approve(each, by, step)),
      abort: (by, because, step) => edges.change(authority, (each) => requestAbort(each, by, because, step)),
      drive: (driver, step) => edges.change(authority, (each) => driveBy(each, driver, step)),
    };
  }
  const others = [...documents, accounts && { ...accounts, authority: 'service-accounts' }].flatMap((document) =>
    document?.rotation === undefined ? [] : [`${document.rotation.id} of ${document.authority}`],
  );
  throw new ExchangeRefused(`no rotation ${id} is under way: ${others.length === 0 ? 'none is' : `name ${others.join(' or ')}`}`);
}
