import { z } from 'zod';
import { approve } from '../authorities/approval';
import { driveBy, requestAbort } from '../authorities/generations';
import { AuthorityName } from '../contract/certificate-names';
import type { AuthoritySecret } from '../contract/certificates';
import { parseInput } from '../contract/parse-input';
import { RestoreId } from '../contract/restore';
import { goOn, requestShapeOf } from '../contract/rotate-authority';
import type { Act } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { ExchangeRefused } from './errors';

export const BeginExchange = z.object({ do: z.literal('begin'), input: z.unknown(), execution: RestoreId, driver: z.string() });

type BeginEdges = Pick<ExchangeEdges, 'authority' | 'change' | 'registered' | 'runs' | 'now' | 'telemetry'>;
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
  const document = await underWay(edges, id);
  const { authority } = document;
  const step = { rotation: id, now: edges.now() };
  const present = document.rotation?.driver;
  const isTaken = 'resume' in request && present !== undefined && present !== driver && present !== request.after;
  if (isTaken && (await edges.runs(present)))
    throw new ExchangeRefused(`rotation ${id} of the ${authority} authority is driven by ${present}, which runs: let it`);
  await edges.change(authority, (each) => {
    if ('approve' in request) return driveBy(approve(each, request.by, step), driver, step);
    return driveBy('abort' in request ? requestAbort(each, request.by, request.because, step) : each, driver, step);
  });
  const { waitForNodesSeconds } = request;
  const waiting = 'resume' in request ? request.waiting : undefined;
  return goOn('look', 0, { rotation: id, authority, driver, asked, waitForNodesSeconds, events: 0, ...(waiting && { waiting }) });
}

async function underWay({ authority }: BeginEdges, id: string): Promise<AuthoritySecret> {
  const documents = await Promise.all(AuthorityName.options.map((name) => authority(name)));
  const found = documents.find((document) => document?.rotation?.id === id);
  if (found !== undefined) return found;
  const others = documents.flatMap((document) =>
    document?.rotation === undefined ? [] : [`${document.rotation.id} of ${document.authority}`],
  );
  throw new ExchangeRefused(`no rotation ${id} is under way: ${others.length === 0 ? 'none is' : `name ${others.join(' or ')}`}`);
}
