import type { FunctionCall } from '../../../local/cloud';
import type { Grant } from './grants';
import { textOf } from './grants';
import { impliedRequests, ownerOf } from './implied-requests';
import type { AccessRequest } from './simulate';
import { simulate } from './simulate';
import type { FunctionRights, StackRights } from './stack-rights';

/** Rights that no call in the log can show the use of. */
export interface Exception {
  /** One action, or all of a service: `logs:*`. */
  readonly action: string;
  /** What its resource or its conditions have in them. @default - any */
  readonly on?: string;
  /** The function that has it. @default - any */
  readonly of?: string;
  readonly because: string;
}

/** One line for people about one thing that should not be so. */
export interface Finding {
  readonly kind:
    /** The emulator refused it. */
    | 'denied'
    /** The emulator let it pass, and the synthesized policy does not. */
    | 'not-granted'
    /** A right that no call needed. */
    | 'unused'
    /** A wildcard that could end further down than it does. */
    | 'wide'
    /** An exception for a right that was used, or that nobody has. */
    | 'stale-exception'
    /** A function that nothing ran. */
    | 'idle';
  readonly line: string;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** What the calls of one function say about its rights. */
interface Use {
  readonly rights: FunctionRights;
  /** The resources that each right was used on. */
  readonly used: ReadonlyMap<Grant, ReadonlySet<string>>;
  readonly calls: number;
  readonly findings: readonly Finding[];
}

/** Compares what the functions of a stack did with what their policies say. Calls of other roles are left out. */
export async function judgeCalls(
  place: Place,
  stack: StackRights,
  calls: readonly FunctionCall[],
  exceptions: readonly Exception[],
): Promise<Finding[]> {
  const uses = await Promise.all(stack.functions.map((rights) => useOf(place, stack, rights, calls)));
  return [...uses.flatMap((use) => [...use.findings, ...idle(use), ...unused(use, exceptions), ...wide(use)]), ...stale(uses, exceptions)];
}

async function useOf(place: Place, stack: StackRights, rights: FunctionRights, calls: readonly FunctionCall[]): Promise<Use> {
  const own = calls.filter(({ role }) => role === rights.role);
  const findings: Finding[] = own.filter(({ allowed }) => !allowed).map((call) => finding('denied', rights, requestText(call)));
  const used = new Map<Grant, Set<string>>();
  for (const request of distinct(
    own.filter(({ allowed }) => allowed).flatMap((call) => [call, ...impliedRequests(call, stack, place.region)]),
  )) {
    const answer = await simulate({ ...place, ...rights }, request, stack.guards.get(ownerOf(request.resource)));
    if (answer.verdict !== 'allowed') findings.push(finding('not-granted', rights, requestText(request)));
    else for (const grant of narrowest(answer.by)) used.set(grant, (used.get(grant) ?? new Set()).add(request.resource));
  }
  return { rights, used, calls: own.length, findings };
}

function distinct(requests: readonly AccessRequest[]): AccessRequest[] {
  const byText = requests.map(
    ({ action, resource, context, session }) =>
      [JSON.stringify([action, resource, context, session]), { action, resource, context, session }] as const,
  );
  return [...new Map(byText).values()];
}

/** A wide right is not needed for what a narrow one beside it allows. */
function narrowest(grants: readonly Grant[]): Grant[] {
  const most = Math.max(...grants.map(literals));
  return grants.filter((grant) => literals(grant) === most);
}
const literals = ({ resource }: Grant): number => resource.replace(/[*?]/g, '').length;

const idle = ({ rights, calls }: Use): Finding[] =>
  calls > 0 ? [] : [finding('idle', rights, 'made no call: add scenarios that make it use all its rights')];

function unused({ rights, used }: Use, exceptions: readonly Exception[]): Finding[] {
  return rights.grants
    .filter((grant) => grant.effect === 'Allow' && !used.has(grant) && !exceptions.some((exception) => concerns(exception, grant, rights)))
    .map((grant) => finding('unused', rights, `never used ${textOf(grant)}`));
}

/** A wildcard stands for what is only known at run time; where all that it was used on begins alike, it could end behind that. */
function wide({ rights, used }: Use): Finding[] {
  const actions = rights.grants.filter(({ effect, action }) => effect === 'Allow' && /[*?]/.test(action));
  const resources = [...used].filter(([{ resource }]) => resource.includes('*'));
  return [
    ...actions.map((grant) => finding('wide', rights, `may do ${textOf(grant)}: name the actions that are used`)),
    ...resources.flatMap(([grant, on]) => {
      const begins = new Set([...on].map((resource) => resource.slice(grant.resource.indexOf('*')).split('/')[0] ?? ''));
      const [only = ''] = begins;
      // The action knows no resources: nothing narrower can be named.
      if (begins.size > 1 || only === '*') return [];
      return [finding('wide', rights, `used ${textOf(grant)} only where * is ${only}: end the wildcard there, or show another use`)];
    }),
  ];
}

function stale(uses: readonly Use[], exceptions: readonly Exception[]): Finding[] {
  return exceptions.flatMap((exception) => {
    const holders = uses.filter(({ rights }) => rights.grants.some((grant) => concerns(exception, grant, rights)));
    if (holders.length === 0)
      return [{ kind: 'stale-exception', line: `the exception ${exception.action} is for a right that no function has` }];
    return holders.flatMap(({ rights, used }) =>
      [...used.keys()]
        .filter((grant) => concerns(exception, grant, rights))
        .map((grant) =>
          finding('stale-exception', rights, `used ${textOf(grant)}, which the exception ${exception.action} says nobody does`),
        ),
    );
  });
}

const concerns = ({ action, on = '', of }: Exception, grant: Grant, { label }: FunctionRights): boolean =>
  (of === undefined || of === label) &&
  textOf(grant).includes(on) &&
  (action.endsWith(':*') ? grant.action.startsWith(action.slice(0, -1)) : grant.action === action);

const finding = (kind: Finding['kind'], { label }: FunctionRights, text: string): Finding => ({ kind, line: `${label}: ${text}` });

function requestText({ action, resource, context }: AccessRequest): string {
  const keys = Object.entries(context).map(([key, value]) => `${key} ${[value].flat().join(' ')}`);
  return [`${action} on ${resource}`, ...keys].join(', ');
}

/** The lines of one kind, or of all, as a test shows them. */
export const linesOf = (findings: readonly Finding[], ...kinds: readonly Finding['kind'][]): string[] =>
  findings.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind)).map(({ kind, line }) => `${kind}: ${line}`);
