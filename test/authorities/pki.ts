import type { RotationMode } from '../../lambdas/contract/authority-rotation';
import type { AuthoritySecret } from '../../lambdas/contract/certificates';
import { mintNext } from '../../lambdas/authorities/generations';
import type { Minted } from '../../lambdas/authorities/generations';
import { inspect } from '../../lambdas/pki/inspect';
import { crossSign } from '../../lambdas/pki/issue';
import type { IssuedPair } from '../../lambdas/pki/issue';
import { NOW, authority } from '../pki/pki-world';

const made = new Map<number, IssuedPair>();
/** One root per number, the same whenever it is asked for. */
export function root(generation: number): IssuedPair {
  const pair = made.get(generation) ?? authority('etcd', generation);
  made.set(generation, pair);
  return pair;
}
export const idOf = (generation: number): string => inspect(root(generation).cert).sha256;

const crosses = new Map<string, string>();
/** The next root as it is minted after another. */
export function minted(next = 2, old = next - 1): Required<Minted> {
  const name = `${next} by ${old}`;
  const cross = crosses.get(name) ?? crossSign(root(next), root(old), { now: NOW }).cert;
  crosses.set(name, cross);
  return { certificate: root(next).cert, key: root(next).key, cross };
}

/** As an adoption leaves it: nothing in it is from this room. */
export const adopted = (generation = 1): AuthoritySecret => ({
  version: 1,
  authority: 'etcd',
  generations: [{ id: idOf(generation), certificate: root(generation).cert, key: root(generation).key, since: NOW.toISOString() }],
  issuing: idOf(generation),
});

export const step = { rotation: 'r-1', now: NOW };
export function begun(mode: RotationMode = 'planned'): AuthoritySecret {
  const { certificate, key, cross } = minted();
  return mintNext(adopted(), { certificate, key, ...(mode === 'planned' && { cross }) }, { id: step.rotation, mode, now: NOW });
}
