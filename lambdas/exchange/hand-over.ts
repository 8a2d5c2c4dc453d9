import type { Act, ExchangeState } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';
import { ended } from './tell';

/**
 * An execution ends by its 25,001st event, and nobody is told (docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). One look at nodes that
 * are away takes some thousands.
 */
const MOST_EVENTS = 10_000;
/** Step Functions' own for a name. */
const LONGEST_NAME = 80;

/** Whether what this execution may still write into its history is better left to another. */
export const isLong = ({ events }: Pick<ExchangeState, 'events'>): boolean => events > MOST_EVENTS;

/** Starts the execution that goes on with a rotation, with what it waits for. It is one however often it is asked for. @throws the error of the edge */
export async function handOver(edges: Pick<ExchangeEdges, 'startNext' | 'telemetry'>, state: ExchangeState): Promise<Act> {
  const { rotation, authority, driver, waiting, notes, waitForNodesSeconds, events } = state;
  const input = { resume: rotation, after: driver, waitForNodesSeconds, ...(waiting && { waiting }), ...(notes && { notes }) };
  const next = await edges.startNext(driver, nameAfter(driver), input);
  edges.telemetry.log('exchange-handed-over', { authority, rotation, next, events });
  return ended(state, 'NOTED', `${next} goes on with it: the history of this execution has ${events} events`, {
    whatToDo: ['watch that execution'],
  });
}

/** The name of the execution after one: `etcd` is followed by `etcd_2`, and that by `etcd_3`. */
export function nameAfter(execution: string): string {
  const name = execution.split(':').at(-1) ?? '';
  const [, base = name, count = '1'] = /^(.*)_(\d+)$/.exec(name) ?? [];
  const suffix = `_${Number(count) + 1}`;
  return `${base.slice(0, LONGEST_NAME - suffix.length)}${suffix}`;
}
