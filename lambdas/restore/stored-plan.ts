import { jsonOf, wrongFields } from '../contract/json';
import { RestorePlan } from '../contract/restore';
import { RestoreRefused } from './errors';

/** @throws RestoreRefused when the file is missing or is none that this version wrote */
export function parsePlan(restoreId: string, text: string | undefined): RestorePlan {
  const parsed = RestorePlan.safeParse(jsonOf(text ?? ''));
  if (parsed.success) return parsed.data;
  const wrong = text === undefined ? 'is missing' : `does not parse (${wrongFields(parsed.error)})`;
  throw new RestoreRefused(`plan.json of restore ${restoreId} ${wrong}: start a new execution`, { cause: parsed.error });
}
