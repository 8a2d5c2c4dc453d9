import { Duration, Size } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';

export interface MaterializeProps {
  /** What every function of the cluster shares. */
  readonly functions: FunctionDefaults;

  /** Where snapshots are, and where the plain file goes. */
  readonly state: StateBucket;
}

/** Makes the plain snapshot that nodes download out of the compressed one. */
export class Materialize extends Construct {
  readonly materializeSnapshot: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, state }: MaterializeProps) {
    super(scope, id);
    this.materializeSnapshot = new LifeboatFunction(this, 'MaterializeSnapshot', {
      ...functions,
      network: undefined,
      entry: 'lambdas/restore/materialize-snapshot.handler.ts',
      description: 'make the plain snapshot that nodes download',
      // More than one processor: bytes are hashed while others are decompressed and sent.
      memory: Size.mebibytes(2048),
      timeout: Duration.minutes(15),
    });
    state.grantMaterialize(this.materializeSnapshot);
  }
}
