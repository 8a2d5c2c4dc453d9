/**
 * What ends a fault. `work`: something has to come true, or be looked at again. `time`: nothing is wrong, and it is to wait. `approval`: a person sees to
 * it, and says so by approving.
 */
export type FaultKind = 'work' | 'time' | 'approval';

export interface Fault {
  readonly kind: FaultKind;
  /** For people alone. */
  readonly text: string;
}

/** What keeps a gate shut, one by one; none when it is open. A text alone is one of work. */
export type Faults = readonly (string | Fault)[];

export const byTime = (text: string): Fault => ({ kind: 'time', text });
export const byApproval = (text: string): Fault => ({ kind: 'approval', text });

export const textOf = (fault: string | Fault): string => (typeof fault === 'string' ? fault : fault.text);

/** What all of them together wait for: work where some of it is left, and a person only when the time is over, too. */
export function kindOf(faults: Faults): FaultKind {
  const kinds = faults.map((fault) => (typeof fault === 'string' ? 'work' : fault.kind));
  if (kinds.includes('work')) return 'work';
  return kinds.includes('time') ? 'time' : 'approval';
}
