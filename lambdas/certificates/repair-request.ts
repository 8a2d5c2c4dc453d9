import { RepairRequest } from '../contract/repair-certificates';
import { RepairRefused } from './errors';

/** @throws RepairRefused naming every field that does not fit */
export function parseRepairRequest(input: unknown): RepairRequest {
  const parsed = RepairRequest.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'input'}: ${message}`);
  throw new RepairRefused(`the input of the execution does not fit: ${mistakes.join('; ')}`, { cause: parsed.error });
}
