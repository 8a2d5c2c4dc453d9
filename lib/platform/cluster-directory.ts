import { Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { clusterDirectoryName } from '../../lambdas/contract/env';
import type { ClusterDirectoryEntry } from '../../lambdas/contract/env';

/** Names only, never values: anyone who may read it learns where things are and nothing of what they hold. */
export class ClusterDirectory extends Construct {
  constructor(scope: Construct, id: string, entry: ClusterDirectoryEntry) {
    super(scope, id);
    new StringParameter(this, 'Parameter', {
      parameterName: clusterDirectoryName(entry.cluster),
      description: `kube-lifeboat ${entry.cluster}: where its resources are`,
      stringValue: Stack.of(this).toJsonString(entry),
    });
  }
}
