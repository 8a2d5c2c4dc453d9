import type { Exchangeable } from '../contract/certificate-names';
import type { Act, ExchangeOutcome, ExchangeState, Told } from '../contract/rotate-authority';
import { tellPeople } from '../restore/tell-people';
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
        : proven(authority),
      ...few(because),
      ...notes,
      `Approve by an execution of lifeboat-${edges.cluster}-rotate-ca with ${approveBy(rotation)}, or turn back with ${abortBy(rotation)}: "Exchange a certificate authority" in the operator runbook has the commands.`,
    ].join('\n'),
  );
}

const proven = (authority: Exchangeable): string =>
  authority === 'service-accounts'
    ? 'Everything else is proven, and the new key signs for as long as was asked for: the old one can be dropped now. Tokens by it are refused from then on.'
    : `Everything else is proven, and both generations of ${nameOf(authority)} are there for as long as was asked for: the old one can be distrusted now. Who still knows it alone is refused from then on.`;

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
  `or turn back: ${abortBy(rotation)}`,
];

/** What somebody may still say to one that waits for an approval and that nothing drives any more. */
export const approvalWays = ({ rotation }: Pick<ExchangeState, 'rotation'>): string[] => [
  `approve: ${approveBy(rotation)}`,
  `or turn back: ${abortBy(rotation)}`,
];

const approveBy = (rotation: string): string => `{"approve": "${rotation}", "by": "<your name>"}`;
const abortBy = (rotation: string): string => `{"abort": "${rotation}", "by": "<your name>", "because": "<why>"}`;

/** So many lines: a message of SNS has 256 KiB. */
const MOST_LINES = 250;
const few = (lines: readonly string[]): string[] =>
  lines.length <= MOST_LINES ? [...lines] : [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} more`];

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

const say = (edges: TellEdges, subject: string, message: string) =>
  tellPeople(edges, `kube-lifeboat ${edges.cluster}: ${subject}`, message);

/** The end of the execution, told by its output alone. */
export function ended(
  { rotation }: Pick<ExchangeState, 'rotation'>,
  outcome: ExchangeOutcome,
  summary: string,
  more: Partial<Told> = {},
): Act {
  return { act: 'end', told: { outcome, rotation, summary, whatToDo: [], ...more } };
}
