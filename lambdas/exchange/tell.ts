import type { Exchangeable } from '../contract/certificate-names';
import { messageOf } from '../contract/lifeboat-error';
import type { Act, ExchangeOutcome, ExchangeState, Told } from '../contract/rotate-authority';
import type { ExchangeEdges } from './edges';

type TellEdges = Pick<ExchangeEdges, 'cluster' | 'write' | 'tell' | 'telemetry' | 'now'>;

/** What is exchanged, as people are told it. */
export const nameOf = (exchanged: Exchangeable): string =>
  exchanged === 'service-accounts' ? 'the key pair of service accounts' : `the ${exchanged} authority`;

/** Asks the people who read the topic for their approval. @param again whether they approved before, and are asked about whoever is refused since then */
export async function askPeople(
  edges: TellEdges,
  { rotation, notes = [] }: ExchangeState,
  authority: Exchangeable,
  because: readonly string[],
  again: boolean,
): Promise<void> {
  await say(
    edges,
    `${nameOf(authority)} waits for approval`,
    [
      again
        ? `The old generation of ${nameOf(authority)} is distrusted in the first place or in all, and clients are refused since then. It goes on when that is approved, and no others are refused.`
        : `Everything is proven, and both generations are served since long enough: the old generation of ${nameOf(authority)} can be distrusted now. Who still knows it alone is refused from then on.`,
      ...because,
      ...notes,
      `Approve by an execution of the same state machine with {"approve": "${rotation}", "by": "<your name>"}, or turn back with {"abort": "${rotation}", "by": "<your name>", "because": "<why>"}.`,
    ].join('\n'),
  );
}

/** Nothing is changed any more; what somebody has to do is told. */
export const halt = (edges: TellEdges, state: ExchangeState, authority: Exchangeable, because: readonly string[]): Promise<Act> =>
  finish(
    edges,
    state,
    'HALTED',
    `the exchange of ${nameOf(authority)} stands still: ${because.slice(0, 10).join('; ')}`,
    state.request === undefined ? waysOn(state) : ['nothing was minted: mend what is named, then start it anew'],
  );

const waysOn = ({ rotation }: Pick<ExchangeState, 'rotation'>): string[] => [
  `mend what is named, then start {"resume": "${rotation}"}`,
  `or turn back: {"abort": "${rotation}", "by": "<your name>", "because": "<why>"}`,
];

/** Writes the report and tells people. */
export async function finish(
  edges: TellEdges,
  state: ExchangeState,
  outcome: ExchangeOutcome,
  summary: string,
  whatToDo: string[] = [],
): Promise<Act> {
  const { rotation, authority, notes = [], approval } = state;
  const report = {
    version: 1,
    kind: 'authority-exchange',
    cluster: edges.cluster,
    rotation,
    authority,
    outcome,
    summary,
    endedAt: edges.now().toISOString(),
    whatToDo,
    notes,
    ...(approval && { approval }),
  };
  await edges.write(rotation, JSON.stringify(report, undefined, 1));
  edges.telemetry.log('exchange-ended', { authority, rotation, outcome, summary });
  await say(
    edges,
    `exchange of ${nameOf(authority)}: ${outcome}`,
    [summary, ...notes, '', ...whatToDo.map((line) => `- ${line}`)].join('\n'),
  );
  return ended(state, outcome, summary, { whatToDo });
}

async function say({ cluster, tell, telemetry }: TellEdges, subject: string, message: string): Promise<void> {
  try {
    await tell?.(`kube-lifeboat ${cluster}: ${subject}`, message);
  } catch (error) {
    telemetry.warn('nobody-told', { because: messageOf(error) });
  }
}

/** The end of the execution, told by its output alone. */
export function ended({ rotation }: ExchangeState, outcome: ExchangeOutcome, summary: string, more: Partial<Told> = {}): Act {
  return { act: 'end', told: { outcome, rotation, summary, whatToDo: [], ...more } };
}
