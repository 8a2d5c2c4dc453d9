// What goes through the state machine that exchanges an authority of the cluster.
import { z } from 'zod';
import { Approval, RotationMode } from './authority-rotation';
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
  /** Who asks: by its age an authority is exchanged without anybody who looks how that ends. */
  by: z.enum(['person', 'age']).default('person'),
  waitForNodesSeconds: Waiting.waitForNodesSeconds,
});
export type ExchangeRequest = z.infer<typeof ExchangeRequest>;

const OfOne = { waitForNodesSeconds: Waiting.waitForNodesSeconds };

const Approve = z.strictObject({ approve: text, by: text, ...OfOne });
const Abort = z.strictObject({ abort: text, by: text, because: z.string().min(1).max(1000), ...OfOne });
/** What is waited for: since when, by seconds since 1970, and why; and what ends that. */
const Waits = z.object({
  forWhat: z.string(),
  kind: z.enum(['work', 'time', 'approval']).default('work'),
  since: z.number().int(),
  /** When all was looked at last. */
  lookedAt: z.number().int().optional(),
  /** When people were asked first and last, and about what: the begin of the SHA-256 of each line. */
  asked: z.object({ first: z.number().int(), last: z.number().int(), about: z.array(z.string()) }).optional(),
  because: z.array(z.string()),
});
/** Takes up one whose execution has ended; `after`: that hands it over, by its ARN, with what it waits for, and what people are to know at the end. */
const Resume = z.strictObject({
  resume: text,
  after: text.optional(),
  waiting: Waits.optional(),
  notes: z.array(z.string()).optional(),
  ...OfOne,
});

/** Brings what the cluster tells of its PKI to what it lives by; names the restore after which that is needed. */
const Heal = z.strictObject({ heal: text, ...OfOne });

/** The input of an execution. Approve, Abort and Resume name a rotation that is under way. */
export const RotateRequest = z.union([ExchangeRequest, Approve, Abort, Resume, Heal]);
export type RotateRequest = z.infer<typeof RotateRequest>;

/** What an input means to be, so that its mistakes are told by their fields: of a union zod tells only that nothing fits. */
export function requestShapeOf(input: unknown): z.ZodType<RotateRequest> {
  const has = (field: string): boolean => typeof input === 'object' && input !== null && field in input;
  if (has('approve')) return Approve;
  if (has('abort')) return Abort;
  if (has('heal')) return Heal;
  return has('resume') ? Resume : ExchangeRequest;
}

export const ExchangeOutcome = z.enum([
  'EXCHANGED',
  'TURNED_BACK',
  'PLANNED',
  'NOTED',
  'HEALED',
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
  /** Of a new one, until it is minted; missing for one that is taken up. */
  request: ExchangeRequest.optional(),
  /** Of one that exchanges nothing: the restore whose data is healed. */
  heal: text.optional(),
  asked: z.array(RunbookNode),
  waitForNodesSeconds: z.number().int(),
  waiting: Waits.optional(),
  /** The node whose set is being rotated, when that was last asked for, seconds since 1970, and why it was refused then. */
  rotating: z.object({ host: z.string(), at: z.number().int(), because: z.string().optional() }).optional(),
  /** Nodes that had something else than their sets and were rotated again: when last, seconds since 1970, and how often without an end to it. */
  healed: z.array(z.object({ host: z.string(), at: z.number().int(), times: z.number().int() })).optional(),
  facts: z.array(NodeEnd).optional(),
  /** What people are to know beside how it ends. */
  notes: z.array(z.string()).optional(),
  approval: Approval.optional(),
  /** How many the history of this execution has by now, at most. */
  events: z.number().int().default(0),
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
  ...{ act, seconds, state: { ...state, events: state.events + eventsOf(act, state) } },
  request: { waitForNodesSeconds: state.waitForNodesSeconds },
});

/** Step with its function (5), and Whereto, Patience and Asks (2 each). */
const STEP_EVENTS = 11;
/** A document that is sent and read three times, with the states between (lib/restore/node-phase.ts). */
const NODE_EVENTS = 50;

const eventsOf = (act: 'look' | 'step', { asked }: Pick<ExchangeState, 'asked'>): number =>
  STEP_EVENTS + (act === 'look' ? 4 + asked.length * NODE_EVENTS : 0);

/** A node that is away is looked at again and again, and asked anew each minute: 28 looks of 11 events. */
export const silentEvents = (silent: number, { waitForNodesSeconds }: Pick<ExchangeState, 'waitForNodesSeconds'>): number =>
  silent * Math.ceil(waitForNodesSeconds / 60) * 28 * 11;

export interface Told {
  readonly outcome: ExchangeOutcome;
  readonly rotation: string;
  readonly summary: string;
  /** Of PLANNED: the plan as JSON. */
  readonly plan?: unknown;
  readonly whatToDo: readonly string[];
}
