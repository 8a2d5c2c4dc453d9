import type { Simulation } from '@cloud-copilot/iam-simulate';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import type { Grant } from './grants';
import { policyOf } from './grants';

/** What somebody asks AWS for, with the condition keys that the request carries. */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** The name of the role's session, where a policy asks for it. */
  readonly session?: string;
}

export interface Caller {
  readonly account: string;
  readonly role: string;
  readonly grants: readonly Grant[];
}

export type SimulatedVerdict =
  /** `by` are the grants that allow it, each of which would do alone. */
  | { readonly verdict: 'allowed'; readonly by: readonly Grant[] }
  | { readonly verdict: 'denied' }
  /** The action is none on such a resource. */
  | { readonly verdict: 'impossible' };

/**
 * What AWS would say to a role's request, by an evaluation of IAM that is not the emulator's.
 *
 * @param guard the policy of the resource itself; a key's must be given, since it alone lets IAM decide
 * @throws for an action that AWS does not know, and for a condition key that the simulator would leave out
 */
export async function simulate(caller: Caller, request: AccessRequest, guard: unknown): Promise<SimulatedVerdict> {
  const answer = await runSimulation(withKnownKeys(simulationOf(caller, request, guard)), {});
  if (answer.resultType === 'error') {
    if (['no.resource.types', 'must.use.wildcard'].includes(answer.errors.message)) return { verdict: 'impossible' };
    throw new Error(`cannot simulate ${request.action} on ${request.resource}: ${JSON.stringify(answer.errors)}`);
  }
  if (answer.resultType === 'wildcard') throw new Error(`cannot simulate ${request.action} on a pattern: ${request.resource}`);
  const { ignoredContextKeys = [], analysis } = answer.result;
  if (ignoredContextKeys.length > 0) throw new Error(`the simulator leaves ${ignoredContextKeys.join(', ')} out of ${request.action}`);
  if (answer.overallResult !== 'Allowed') return { verdict: 'denied' };
  const names = new Set(analysis.identityAnalysis?.allowStatements.map(({ policyId }) => policyId));
  return { verdict: 'allowed', by: caller.grants.filter((_grant, index) => names.has(String(index))) };
}

function simulationOf(
  { account, role, grants }: Caller,
  { action, resource, context, session = 'session' }: AccessRequest,
  guard: unknown,
): Simulation {
  const [service = ''] = action.split(':');
  const contextVariables = {
    'aws:PrincipalAccount': account,
    'aws:PrincipalArn': `arn:aws:iam::${account}:role/${role}`,
    // The id of the role, which nobody here asks for, and the session's name.
    'aws:userid': `AROA:${session}`,
    // Functions speak to AWS by the SDK, whose endpoints are https, from Node 24, which offers TLS 1.3.
    'aws:SecureTransport': 'true',
    ...(service === 's3' && { 's3:TlsVersion': '1.3' }),
    ...Object.fromEntries(Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]])),
  };
  return {
    request: {
      principal: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
      action,
      resource: { resource, accountId: account },
      contextVariables,
    },
    identityPolicies: grants.map((grant, index) => ({ name: String(index), policy: policyOf(grant) })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(guard !== undefined && { resourcePolicy: guard }),
  };
}

/**
 * Keys that AWS knows and the simulator drops (0.1.173): those that name something of their own behind a colon, and the one that
 * Lambda sets on every call that code makes: https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html.
 * In policies and request alike they are spelled as tags of the caller, which may have any name and are compared in the same way.
 */
function withKnownKeys(simulation: Simulation): Simulation {
  const text = JSON.stringify(simulation).replaceAll(
    /"(kms:EncryptionContext:[^"]+|lambda:SourceFunctionArn)":/g,
    '"aws:PrincipalTag/$1":',
  );
  return JSON.parse(text) as Simulation;
}
