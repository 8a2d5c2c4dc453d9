import { z } from 'zod';
import { approve } from '../authorities/approval';
import { driveBy, requestAbort } from '../authorities/generations';
import type { Step } from '../authorities/generations';
import { abortPair, approvePair, drivePairBy } from '../accounts/key-generations';
import { AuthorityName } from '../contract/certificate-names';
import type { Exchangeable } from '../contract/certificate-names';
import type { AuthoritySecret, ServiceAccountsSecret } from '../contract/certificates';
import { parseInput } from '../contract/parse-input';
import { RestoreId } from '../contract/restore';
import { goOn, requestShapeOf } from '../contract/rotate-authority';
import type { Act } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { ExchangeRefused } from './errors';
import { ended, nameOf } from './tell';

export const BeginExchange = z.object({ do: z.literal('begin'), input: z.unknown(), execution: RestoreId, driver: z.string() });

type BeginEdges = Pick<ExchangeEdges, 'authority' | 'change' | 'accounts' | 'changeAccounts' | 'registered' | 'runs' | 'now' | 'telemetry'>;
type Begin = z.infer<typeof BeginExchange>;

/**
 * Takes up what is asked for: a new exchange or its plan, the healing of what a restore brought back, or an exchange that
 * is under way, by its id. The execution that approves or aborts drives it on at once, whatever the one before it waits for, which ends then.
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
    return goOn('look', 0, { rotation: execution, authority, driver, request, asked, waitForNodesSeconds, events: 0 });
  }
  if ('heal' in request) {
    const { heal, waitForNodesSeconds } = request;
    return goOn('look', 0, { rotation: execution, authority: 'cluster', driver, heal, asked, waitForNodesSeconds, events: 0 });
  }
  const id = 'approve' in request ? request.approve : 'abort' in request ? request.abort : request.resume;
  const found = await underWay(edges, id, 'resume' in request);
  const { authority } = found;
  const step = { rotation: id, now: edges.now() };
  const present = found.driver;
  const isTaken = 'resume' in request && present !== undefined && present !== driver && present !== request.after;
  if (isTaken && (await edges.runs(present))) {
    // Somebody approved or turned back while it was handed over.
    if (request.after !== undefined) return ended({ rotation: id }, 'NOTED', `${present} has taken it up`);
    throw new ExchangeRefused(`rotation ${id} of ${nameOf(authority)} is driven by ${present}, which runs: let it`);
  }
  if ('approve' in request) await found.approve(request.by, driver, step);
  else if ('abort' in request) await found.abort(request.by, request.because, driver, step);
  else await found.drive(driver, step);
  const { waitForNodesSeconds } = request;
  const { waiting, notes } = 'resume' in request ? request : {};
  return goOn('look', 0, {
    rotation: id,
    authority,
    driver,
    asked,
    waitForNodesSeconds,
    events: 0,
    ...(waiting && { waiting }),
    ...(notes && { notes }),
  });
}

interface UnderWay {
  readonly authority: Exchangeable;
  readonly driver: string | undefined;
  readonly approve: (by: string, driver: string, step: Step) => Promise<unknown>;
  readonly abort: (by: string, because: string, driver: string, step: Step) => Promise<unknown>;
  readonly drive: (driver: string, step: Step) => Promise<unknown>;
}

/** @param closed whether one may be meant that is over, of which the end may not have been told, nor the key that goes be gone everywhere */
async function underWay(edges: BeginEdges, id: string, closed: boolean): Promise<UnderWay> {
  const [accounts, ...documents] = await Promise.all([edges.accounts(), ...AuthorityName.options.map((name) => edges.authority(name))]);
  if (accounts?.rotation?.id === id)
    return {
      authority: 'service-accounts',
      driver: accounts.rotation.driver,
      approve: (by, driver, step) => edges.changeAccounts((each) => drivePairBy(approvePair(each, by, step), driver, step)),
      abort: (by, because, driver, step) => edges.changeAccounts((each) => drivePairBy(abortPair(each, by, because, step), driver, step)),
      drive: (driver, step) => edges.changeAccounts((each) => drivePairBy(each, driver, step)),
    };
  const found = documents.find((document) => document?.rotation?.id === id);
  if (found !== undefined) {
    const { authority } = found;
    return {
      authority,
      driver: found.rotation?.driver,
      approve: (by, driver, step) => edges.change(authority, (each) => driveBy(approve(each, by, step), driver, step)),
      abort: (by, because, driver, step) => edges.change(authority, (each) => driveBy(requestAbort(each, by, because, step), driver, step)),
      drive: (driver, step) => edges.change(authority, (each) => driveBy(each, driver, step)),
    };
  }
  const isOf = (document: AuthoritySecret | ServiceAccountsSecret | undefined): boolean =>
    document?.turnedBack?.rotation === id || document?.generations.some(({ mintedFor }) => mintedFor === id) === true;
  const over = isOf(accounts) ? 'service-accounts' : documents.find(isOf)?.authority;
  const nothing = () => Promise.resolve();
  if (closed && over !== undefined) return { authority: over, driver: undefined, approve: nothing, abort: nothing, drive: nothing };
  const others = [...documents, accounts && { ...accounts, authority: 'service-accounts' }].flatMap((document) =>
    document?.rotation === undefined ? [] : [`${document.rotation.id} of ${document.authority}`],
  );
  throw new ExchangeRefused(`no rotation ${id} is under way: ${others.length === 0 ? 'none is' : `name ${others.join(' or ')}`}`);
}
