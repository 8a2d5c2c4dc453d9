import { Duration, Size } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { LifeboatFunction } from '../platform/lifeboat-function';
import type { FunctionDefaults } from '../platform/lifeboat-function';
import type { StateBucket } from '../platform/state-bucket';

export interface MaterializeProps {
  /** What every function of the cluster shares; the network is left out, since the file goes from S3 to S3 alone. */
  readonly functions: FunctionDefaults;

  /** Where the snapshots are, and where the plain file goes. */
  readonly state: StateBucket;
}

/** Makes the plain file of a stored snapshot, which the nodes of a restore fetch. Nothing starts it by the clock. */
export class Materialize extends Construct {
  readonly materializeSnapshot: LifeboatFunction;

  constructor(scope: Construct, id: string, { functions, state }: MaterializeProps) {
    super(scope, id);
    this.materializeSnapshot = new LifeboatFunction(this, 'MaterializeSnapshot', {
      ...functions,
      network: undefined,
      entry: 'lambdas/restore/materialize-snapshot.handler.ts',
      description: 'make the plain file of a stored snapshot for a restore',
      // More than one processor (1769 MiB): it decompresses while it hashes and uploads. Memory itself stays flat, and no disk is used.
      memory: Size.mebibytes(2048),
      // 8.5 GiB in it need 10 MB/s; a function's link carries some 70.
      timeout: Duration.minutes(15),
      // Whoever runs a restore waits for the answer, and tries again by what it says.
      retryAttempts: 0,
    });
    state.grantMaterialize(this.materializeSnapshot);
  }
}
