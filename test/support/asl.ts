import validate from 'asl-validator';
import { resolveIntrinsics } from '../../local/cloud/intrinsics';
import { REGION } from '../../local/cloud/emulator';

const STAND_IN = `arn:aws:lambda:${REGION}:111111111111:function:stand-in`;

/** Every resource of a template, each with the same ARN. */
class AnyResource extends Map<string, string> {
  override get = (): string => STAND_IN;
}

/**
 * A state machine's definition as its template has it, with an ARN in the place of every reference to a resource.
 *
 * @param definition the value of `DefinitionString`: a text, or parts that are joined
 */
export function readDefinition(definition: unknown): unknown {
  const deployed = { region: REGION, physicalIds: new AnyResource(), outputs: {}, attributeOf: () => STAND_IN };
  return JSON.parse(String(resolveIntrinsics(definition, deployed)));
}

/**
 * What keeps Step Functions from running a definition as it is meant: fields, paths and intrinsic functions that it does not know, targets that are not
 * there, states that nothing leads to, two states of one name (in Map and Parallel states too). Empty when nothing does.
 *
 * It does not see a path in a field without `.$`, and no States.ALL that stands before other errors.
 */
export function problemsOf(definition: unknown): string[] {
  const verdict = validate(readDefinition(definition));
  return verdict.isValid ? [] : [...new Set(verdict.errorsText('\n').split('\n'))];
}
