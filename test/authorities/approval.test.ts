import { approve, noteNamed } from '../../lambdas/authorities/approval';
import { requestAbort } from '../../lambdas/authorities/generations';
import { AuthoritySecret } from '../../lambdas/contract/certificates';
import { NOW } from '../pki/pki-world';
import { adopted, begun, step } from './pki';

const KUBELET = 'the kubelet of worker-1';
const rotationOf = (document: AuthoritySecret) => AuthoritySecret.parse(JSON.parse(JSON.stringify(document))).rotation;

describe('what was named to whoever approves', () => {
  test('is kept with his approval, and stays as it was when something else is named later', () => {
    const approved = approve(noteNamed(begun(), [KUBELET], step), 'ann', step);

    expect(rotationOf(approved)).toMatchObject({ approvedBy: 'ann', approval: { by: 'ann', at: NOW.toISOString(), named: [KUBELET] } });
    expect(rotationOf(noteNamed(approved, ['another'], step))).toMatchObject({ named: ['another'], approval: { named: [KUBELET] } });
    expect(approve(approved, 'bob', step)).toBe(approved);
  });

  test('is nothing where nobody was asked', () => {
    expect(rotationOf(approve(begun(), 'ann', step))?.approval?.named).toEqual([]);
  });

  test('is noted once: the same names change nothing, nor do none where none were', () => {
    const noted = noteNamed(begun(), [KUBELET], step);

    expect(noteNamed(noted, [KUBELET], step)).toBe(noted);
    const several = noteNamed(noted, ['b', 'a'], step);
    expect(noteNamed(several, ['a', 'b'], step)).toBe(several);
    expect(noteNamed(begun(), [], step)).toEqual(begun());
  });

  test('is cut to what fits beside the keys, with how many more there are', () => {
    const named = rotationOf(
      noteNamed(
        begun(),
        Array.from({ length: 500 }, (_, at) => `node ${at} ${'x'.repeat(400)}`),
        step,
      ),
    )?.named;

    expect(named).toHaveLength(21);
    expect(named?.[0]).toHaveLength(300);
    expect(named?.at(-1)).toBe('and 480 more');
  });

  test('goes with the approval when it is turned back', () => {
    const back = requestAbort(approve(noteNamed(begun(), [KUBELET], step), 'ann', step), 'bob', 'errors', step);

    expect(rotationOf(back)).not.toHaveProperty('approval');
    expect(rotationOf(back)).not.toHaveProperty('approvedBy');
  });

  test('is refused of another rotation', () => {
    expect(() => noteNamed(adopted(), [KUBELET], step)).toThrow(/no rotation is under way/);
  });
});
