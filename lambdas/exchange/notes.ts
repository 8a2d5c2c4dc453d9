import { refusedToTell } from '../authorities/rejections';
import type { Observation } from '../authorities/observation';
import type { AuthorityRotation } from '../contract/authority-rotation';

/** They go through the states of the execution, which may have 256 KiB. */
const MOST_NOTES = 20;

/** What people are to know beside how an exchange ends, each once. @param unclear why kubeadm is not told, which takes the place of the rest */
export function notesOf(
  before: readonly string[] = [],
  unclear: string | undefined,
  observation: Observation,
  { state, refusalsSeen }: Pick<AuthorityRotation, 'state' | 'refusalsSeen'>,
): string[] {
  const kept = unclear === undefined ? before : [unclear];
  const refused = refusedToTell(observation, state).map((name) => `${name} tried to connect`);
  const seen = refusalsSeen === undefined ? [] : [`${refusalsSeen.by} saw to ${refusalsSeen.named.join('; ')}`.slice(0, 1_000)];
  return [...new Set([...kept, ...seen, ...refused])].slice(0, MOST_NOTES);
}
