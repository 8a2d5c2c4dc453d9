import { clusterPrefix } from '../../../lambdas/contract/s3-keys';
import type { Condition, Grant } from './grants';
import type { AccessRequest } from './simulate';
import type { FunctionRights, StackRights } from './stack-rights';

/** Stands for everything that a wildcard may stand for. */
const ANYTHING = '20260101T000000Z-00000000';

/** What a right was given for, asked for as it was meant. */
export const requestOf = ({ action, resource, condition }: Grant): AccessRequest => ({
  action,
  resource: filledIn(resource),
  context: contextFor(condition),
});

/**
 * Every action of a function on everything of another cluster: its resources, with whatever condition keys would satisfy either
 * side, and its prefix in the function's own bucket.
 */
export function foreignRequests(
  mine: FunctionRights,
  theirs: StackRights,
  clusters: { readonly mine: string; readonly theirs: string },
): AccessRequest[] {
  const given = mine.grants.filter(({ effect }) => effect === 'Allow');
  const foreign = theirs.functions.flatMap(({ grants }) => grants.filter(({ effect }) => effect === 'Allow'));
  const named = new Set(given.map(({ resource }) => resource));
  const onTheirs = given.flatMap(({ action, condition }) =>
    foreign.filter(belongsToThem).flatMap((their) =>
      // Where both name the same, such as every instance, the condition alone says whose it is.
      [...(named.has(their.resource) ? [] : [condition]), ...(their.action === action ? [their.condition] : [])].map((either) => ({
        action,
        resource: filledIn(their.resource),
        context: contextFor(either),
      })),
    ),
  );
  const renamed = (text: string) => text.replaceAll(clusterPrefix(clusters.mine), clusterPrefix(clusters.theirs));
  const underTheirPrefix = given
    .map((grant) => ({ before: JSON.stringify(requestOf(grant)), grant }))
    .filter(({ before }) => renamed(before) !== before)
    .map(({ before }) => JSON.parse(renamed(before)) as AccessRequest);
  return distinct([...onTheirs, ...underTheirPrefix]);
}

/** Actions without resources are given on everything. */
const belongsToThem = ({ resource }: Grant): boolean => resource !== '*';

/** A log group's pattern ends in `:*`, behind which its streams are. */
const filledIn = (pattern: string): string => (pattern === '*' ? pattern : filledWith(pattern, ANYTHING));
const filledWith = (pattern: string, text: string): string => pattern.replace(/:\*$/, ':log-stream:*').replaceAll('*', text);

/** The keys of a request that satisfy a condition on texts. */
function contextFor(condition: Condition = {}): Readonly<Record<string, string>> {
  const satisfiable = Object.entries(condition).filter(([operator]) => /^(String|Arn)(Equals|Like)$/.test(operator));
  return Object.fromEntries(satisfiable.flatMap(([, keys]) => Object.entries(keys).map(([key, [value = '']]) => [key, filledIn(value)])));
}

const distinct = (requests: readonly AccessRequest[]): AccessRequest[] => [
  ...new Map(requests.map((request) => [JSON.stringify(request), request])).values(),
];
