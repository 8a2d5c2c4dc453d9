// What goes through the state machine that exchanges an authority of the cluster.
import { z } from 'zod';
import { RotationMode } from './authority-rotation';
import { Exchangeable } from './certificate-names';
import { NodeEnd, RestoreId, RunbookNode, Waiting } from './restore';

const text = z.string().min(1).max(200);

/** Begins one, or shows what it would do. */
export const ExchangeRequest = z.strictObject({
  authority: Exchangeable,
  mode: RotationMode.default('planned'),
  /** Only shows every state with its restarts and gates; changes nothing. */
  plan: z.boolean().default(false),
  /** `automatic`: the old generation is distrusted as soon as everything is proven. */
  approval: z.enum(['ask', 'automatic']).default('ask'),
  /** How long both are served. @default - a week for the cluster's authority, a day for service accounts, an hour for others */
  soakSeconds: z
    .number()
    .int()
    .min(0)
    .max(14 * 86_400)
    .optional(),
  /** How long one control-plane node distrusts before the others do. @default - half an hour */
  canarySeconds: z
    .number()
    .int()
    .min(0)
    .max(7 * 86_400)
    .optional(),
  /** The host of the control-plane node that distrusts first. @default - the first by name */
  canary: text.optional(),
  waitForNodesSeconds: Waiting.waitForNodesSeconds,
});
export type ExchangeRequest = z.infer<typeof ExchangeRequest>;

const OfOne = { waitForNodesSeconds: Waiting.waitForNodesSeconds };

const Approve = z.strictObject({ approve: text, by: text, ...OfOne });
const Abort = z.strictObject({ abort: text, by: text, because: z.string().min(1).max(1000), ...OfOne });
/** Takes up one whose execution has ended. */
const Resume = z.strictObject({ resume: text, ...OfOne });

/** The input of an execution. All but the first name a rotation that is under way. */
export const RotateRequest = z.union([ExchangeRequest, Approve, Abort, Resume]);
export type RotateRequest = z.infer<typeof RotateRequest>;

/** What an input means to be, so that its mistakes are told by their fields: of a union zod tells only that nothing fits. */
export function requestShapeOf(input: unknown): z.ZodType<RotateRequest> {
  const has = (field: string): boolean => typeof input === 'object' && input !== null && field in input;
  if (has('approve')) return Approve;
  if (has('abort')) return Abort;
  return has('resume') ? Resume : ExchangeRequest;
}

export const ExchangeOutcome = z.enum([
  'EXCHANGED',
  'TURNED_BACK',
  'PLANNED',
  'NOTED',
  /** The time to wait is over, and nobody approved so far. */
  'AWAITS_APPROVAL',
  'REFUSED',
  'HALTED',
]);
export type ExchangeOutcome = z.infer<typeof ExchangeOutcome>;

/** What the execution carries from state to state. */
export const ExchangeState = z.object({
  /** The rotation; of a new one the name of the execution. */
  rotation: RestoreId,
  authority: Exchangeable,
  /** Of the execution that drives it. */
  driver: z.string(),
  /** Of a new one; missing for one that is taken up. */
  request: ExchangeRequest.optional(),
  asked: z.array(RunbookNode),
  waitForNodesSeconds: z.number().int(),
  /** How the cluster was when this execution began. */
  before: z.object({ voters: z.number().int(), readyNodes: z.number().int() }).optional(),
  /** Since when, by seconds since 1970, it waits for the same. */
  waiting: z.object({ forWhat: z.string(), since: z.number().int(), because: z.array(z.string()) }).optional(),
  /** The node whose set is being rotated, and when that was last asked for, seconds since 1970. */
  rotating: z.object({ host: z.string(), at: z.number().int() }).optional(),
  facts: z.array(NodeEnd).optional(),
});
export type ExchangeState = z.infer<typeof ExchangeState>;

/** What comes next: to ask the nodes, to go on without asking them, both after some seconds; or the end. */
export type Act =
  | {
      readonly act: 'look' | 'step';
      readonly seconds: number;
      readonly state: Omit<ExchangeState, 'facts'>;
      /** Where the phases of every runbook look for it. */
      readonly request: Pick<ExchangeState, 'waitForNodesSeconds'>;
    }
  | { readonly act: 'end'; readonly told: Told };

/** What comes next is to go on. */
export const goOn = (act: 'look' | 'step', seconds: number, { facts: _, ...state }: ExchangeState): Act => ({
  ...{ act, seconds, state },
  request: { waitForNodesSeconds: state.waitForNodesSeconds },
});

export interface Told {
  readonly outcome: ExchangeOutcome;
  readonly rotation: string;
  readonly summary: string;
  /** Of PLANNED: the plan as JSON. */
  readonly plan?: unknown;
  readonly whatToDo: readonly string[];
}
