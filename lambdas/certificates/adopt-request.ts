import { AdoptRequest } from '../contract/certificates';
import { AdoptionRefused } from './errors';

/** @throws AdoptionRefused naming every field that does not fit */
export function parseAdoptRequest(input: unknown): AdoptRequest {
  const parsed = AdoptRequest.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || 'input'}: ${message}`);
  throw new AdoptionRefused(`the input of the execution does not fit: ${mistakes.join('; ')}`, { cause: parsed.error });
}
