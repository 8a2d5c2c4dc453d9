// CloudWatch's rules for alarms on one metric, over points that were recorded: the emulator ignores dimensions and missing data.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html and alarms-and-missing-data.html
import type { AlarmDefinition } from './alarm-definition';
import type { MetricPoint } from './metrics';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface AlarmVerdict {
  readonly name: string;
  readonly state: AlarmState;
  readonly reason: string;
  /** When it came into this state. */
  readonly since: Date;
}

export interface Judgement {
  readonly state: AlarmState;
  readonly reason: string;
}

const MINUTE_MS = 60_000;

/** CloudWatch looks back further than the periods it needs, how far it does not say: its own examples have two more. */
const FURTHER_BACK = 2;

/** Newest last; undefined is a period without data. */
export type Datapoints = readonly (number | undefined)[];

/** How many datapoints one evaluation is given. */
export const evaluationRange = ({ evaluationPeriods }: AlarmDefinition): number => evaluationPeriods + FURTHER_BACK;

/**
 * One evaluation. Real datapoints count first, also older ones; what is still missing is filled in as the alarm says.
 *
 * @param datapoints as many as {@link evaluationRange} says
 */
export function judge(alarm: AlarmDefinition, datapoints: Datapoints, before: AlarmState): Judgement {
  const { evaluationPeriods: needed, datapointsToAlarm: enough, missingData } = alarm;
  const real = datapoints.filter((value) => value !== undefined).slice(-needed);
  const breaching = real.filter((value) => breaches(alarm, value)).length;
  const filled = needed - real.length;
  const because = `${breaching} of ${real.length} datapoints breach ${alarm.threshold}${filled > 0 ? `, ${filled} missing (${missingData})` : ''}`;
  const judged = (state: AlarmState): Judgement => ({ state, reason: `${because}; newest ${real.at(-1) ?? 'none'}` });

  if (breaching + (missingData === 'breaching' ? filled : 0) >= enough) return judged('ALARM');
  if (filled === 0 || missingData === 'breaching' || missingData === 'notBreaching') return judged('OK');
  if (breaching < real.length) return judged('OK');
  if (missingData === 'ignore') return judged(before);
  if (real.length === 0) return judged('INSUFFICIENT_DATA');
  // "Premature": nothing but breaching data, yet too few. Once the oldest is as old as the alarm waits for, it waits no longer.
  const age = datapoints.length - datapoints.findIndex((value) => value !== undefined);
  return judged(age >= enough ? 'ALARM' : before);
}

export function breaches({ comparison, threshold }: AlarmDefinition, value: number): boolean {
  switch (comparison) {
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold;
    case 'GreaterThanThreshold':
      return value > threshold;
    case 'LessThanThreshold':
      return value < threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= threshold;
  }
}

function statisticOf({ statistic }: AlarmDefinition, values: readonly number[]): number | undefined {
  const sum = values.reduce((total, value) => total + value, 0);
  if (values.length === 0) return undefined;
  switch (statistic) {
    case 'Sum':
      return sum;
    case 'Average':
      return sum / values.length;
    case 'Minimum':
      return Math.min(...values);
    case 'Maximum':
      return Math.max(...values);
    case 'SampleCount':
      return values.length;
  }
}

/** An alarm sees the points of its metric under its own dimensions, and of no more or fewer dimensions. */
const isOf =
  ({ namespace, metric, dimensions }: AlarmDefinition) =>
  (point: MetricPoint): boolean =>
    point.namespace === namespace &&
    point.metric === metric &&
    Object.keys(point.dimensions).length === Object.keys(dimensions).length &&
    Object.entries(dimensions).every(([name, value]) => point.dimensions[name] === value);

/** The points of one alarm, of which each evaluation sees a window: periods that end at a full minute, and slide with it. */
class SlidingWindow {
  private first = 0;

  /** @param points in order of time */
  constructor(
    private readonly alarm: AlarmDefinition,
    private readonly points: readonly MetricPoint[],
  ) {}

  /** @param end later than at the call before */
  datapointsAt(end: number): Datapoints {
    const range = evaluationRange(this.alarm);
    const periodMs = this.alarm.periodSeconds * 1000;
    const valuesOf: number[][] = Array.from({ length: range }, () => []);
    while (this.timeOf(this.first) < end - range * periodMs) this.first++;
    for (let index = this.first; this.timeOf(index) < end; index++)
      valuesOf[range - 1 - Math.floor((end - 1 - this.timeOf(index)) / periodMs)]?.push(this.points[index]?.value ?? NaN);
    return valuesOf.map((values) => statisticOf(this.alarm, values));
  }

  private timeOf(index: number): number {
    return this.points[index]?.at.getTime() ?? Infinity;
  }
}

export interface EvaluationWindow {
  /** When the alarms were made. @default - the time of the first point, or `now` when there is none */
  readonly since?: Date;
  readonly now: Date;
}

/**
 * The state of each alarm at `now`, after an evaluation in each minute since: an alarm that ignores missing data remembers.
 *
 * The minute that `now` lies in counts as over, so that whoever asks need not wait for its end.
 */
export function evaluateAlarms(
  alarms: readonly AlarmDefinition[],
  points: readonly MetricPoint[],
  { now, since }: EvaluationWindow,
): AlarmVerdict[] {
  const last = Math.ceil((now.getTime() + 1) / MINUTE_MS) * MINUTE_MS;
  const begun = since?.getTime() ?? Math.min(now.getTime(), ...points.map(({ at }) => at.getTime()));
  return alarms.map((alarm) => {
    const window = new SlidingWindow(
      alarm,
      points.filter(isOf(alarm)).sort((a, b) => a.at.getTime() - b.at.getTime()),
    );
    let verdict: AlarmVerdict = { name: alarm.name, state: 'INSUFFICIENT_DATA', reason: 'just made', since: new Date(begun) };
    for (let end = Math.ceil((begun + 1) / MINUTE_MS) * MINUTE_MS; end <= last; end += MINUTE_MS) {
      const { state, reason } = judge(alarm, window.datapointsAt(end), verdict.state);
      verdict = { ...verdict, state, reason, ...(state !== verdict.state && { since: new Date(end) }) };
    }
    return verdict;
  });
}
