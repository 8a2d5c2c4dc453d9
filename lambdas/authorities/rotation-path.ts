import type { RotationMode, RotationState } from '../contract/authority-rotation';

/** Where a rotation may be, and where it ends: at `STEADY` of the generation before, or of the next one. */
export type PathState = RotationState | 'STEADY';

const FORWARD: Readonly<Record<RotationMode, readonly RotationState[]>> = {
  planned: ['MINTED', 'TRUSTED', 'ISSUING', 'SOAKING', 'DISTRUST-CANARY', 'DISTRUSTED'],
  // Nobody waits for clients or for one that tries while somebody else has the key.
  compromise: ['MINTED', 'TRUSTED', 'ISSUING', 'DISTRUSTED'],
};

const BACK: Readonly<Record<RotationMode, Readonly<Partial<Record<RotationState, PathState>>>>> = {
  planned: {
    MINTED: 'STEADY',
    TRUSTED: 'MINTED',
    ISSUING: 'TRUSTED',
    SOAKING: 'ISSUING',
    // Both are trusted again before anything else goes back.
    'DISTRUST-CANARY': 'SOAKING',
    DISTRUSTED: 'SOAKING',
  },
  // Who distrusts a generation because its key is known elsewhere must not trust it again.
  compromise: { MINTED: 'STEADY', TRUSTED: 'MINTED', ISSUING: 'TRUSTED' },
};

/** The states of a rotation of this mode, in their order. */
export const pathOf = (mode: RotationMode): readonly RotationState[] => FORWARD[mode];

/** What follows a state; undefined after the last one, which is left by closing. */
export const stateAfter = (mode: RotationMode, state: RotationState): RotationState | undefined =>
  FORWARD[mode][FORWARD[mode].indexOf(state) + 1];

/** Where an aborted rotation goes from a state; undefined where there is no way back. */
export const stateBefore = (mode: RotationMode, state: RotationState): PathState | undefined => BACK[mode][state];
