import { z } from 'zod';
import { AuthorityName } from '../contract/certificate-names';
import { ScanRequest } from '../contract/certificate-scan';
import type { ServiceAccountsSecret } from '../contract/certificates';
import type { ExchangePolicy } from '../contract/exchange-policy';
import type { ExchangeRequest } from '../contract/rotate-authority';
import { tellPeople } from '../restore/tell-people';
import { dueExchange } from './due';
import type { Due } from './due';
import type { ExchangeEdges } from './edges';

export const DailyExchange = z.object({ do: z.literal('daily'), input: ScanRequest });

export interface DailyEdges extends Pick<ExchangeEdges, 'cluster' | 'authority' | 'note' | 'tell' | 'telemetry' | 'now'> {
  readonly accounts: () => Promise<ServiceAccountsSecret | undefined>;
  /** The runbook that works on the nodes. @throws StoreFailed */
  readonly lockedBy: () => Promise<string | undefined>;
  /** Starts an exchange under this name, once; whether it is this call that did. @throws the error of Step Functions */
  readonly begin: (execution: string, request: Partial<ExchangeRequest>) => Promise<boolean>;
}

/**
 * What is looked after once a day, whether or not anything is exchanged: what is noted of the generations is what the secrets say, and an authority that
 * is near its end is exchanged, where the config has that done.
 *
 * @throws PkiUnusable, StoreFailed, and the error of Step Functions
 */
export async function daily(
  edges: DailyEdges,
  policy: ExchangePolicy,
  { input }: Pick<z.infer<typeof DailyExchange>, 'input'>,
): Promise<{ readonly action: Due['action'] | 'there'; readonly because: string }> {
  const { telemetry } = edges;
  await edges.note();
  const [accounts, ...found] = await Promise.all([edges.accounts(), ...AuthorityName.options.map((name) => edges.authority(name))]);
  const documents = found.filter((each) => each !== undefined);
  const due = dueExchange({ documents, accounts, policy, now: edges.now() });
  telemetry.log('authorities-aged', { ...due });
  if (due.action !== 'start') return due;
  if (!input.exchange) return { action: 'wait', because: `${due.because}, and the input of the execution says to begin nothing` };
  const holder = await edges.lockedBy();
  if (holder !== undefined) return { action: 'wait', because: `${due.because}, and ${holder} holds the lock of the control plane` };
  const { authority, execution } = due;
  const began = await edges.begin(execution, { authority, approval: policy.approval, by: 'age' });
  telemetry.log('exchange-begun-by-age', { authority, execution, began });
  if (began) await tellPeople(edges, `kube-lifeboat ${edges.cluster}: exchange of the ${authority} authority began`, tellBegun(due));
  return { action: began ? 'start' : 'there', because: `${due.because}: execution ${execution}` };
}

const tellBegun = ({ authority, execution, because }: Extract<Due, { action: 'start' }>): string =>
  [
    `${because}: execution ${execution} of the state machine rotate-ca exchanges it by its next generation.`,
    'What is started again on the nodes, and what you have to see to before the old one is distrusted, is told by "Exchange a certificate authority" in the operator runbook.',
    `Turn back with {"abort": "${execution}", "by": "<your name>", "because": "<why>"}: then nothing begins by itself until you start the exchange of the ${authority} authority by hand.`,
  ].join('\n');
