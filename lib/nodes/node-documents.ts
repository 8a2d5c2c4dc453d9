import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { NodeCommands, nodeDocumentName } from '../../lambdas/contract/node-commands';
import { NodeParameters } from '../../lambdas/contract/node-parameters';
import type { NodeCommandName } from '../../lambdas/contract/node-commands';
import type { NodeParameter, NodeParameterName } from '../../lambdas/contract/node-parameters';
import { nodeScript } from './node-script';

export interface NodeDocumentsProps {
  /** Name of the cluster whose nodes run the documents. */
  readonly clusterName: string;

  /**
   * The folder of the static-pod manifests.
   *
   * @default '/etc/kubernetes/manifests'
   */
  readonly manifestDir?: string;

  /**
   * The data directory of etcd.
   *
   * @default '/var/lib/etcd'
   */
  readonly etcdDataDir?: string;

  /**
   * The folder of the certificates; the kubeconfigs lie in the one above it.
   *
   * @default '/etc/kubernetes/pki'
   */
  readonly pkiDir?: string;
}

/** The content of one Run Command document (schema 2.2), with the cluster's own paths as defaults. */
export function nodeDocument(
  command: NodeCommandName,
  { manifestDir, etcdDataDir, pkiDir }: Omit<NodeDocumentsProps, 'clusterName'>,
): object {
  const own: Partial<Record<NodeParameterName, string>> = { manifestDir, dataDir: etcdDataDir, pkiDir };
  const { about, parameters, timeoutSeconds } = NodeCommands[command];
  return {
    schemaVersion: '2.2',
    description: `kube-lifeboat: ${about}`,
    parameters: Object.fromEntries(
      parameters.map((name) => {
        const { description, pattern, ...parameter }: NodeParameter = NodeParameters[name];
        const value = own[name] ?? parameter.default;
        return [name, { type: 'String', description, allowedPattern: `^${pattern}$`, ...(value !== undefined && { default: value }) }];
      }),
    ),
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: 'run',
        precondition: { StringEquals: ['platformType', 'Linux'] },
        inputs: { timeoutSeconds: String(timeoutSeconds), runCommand: nodeScript(command) },
      },
    ],
  };
}

/** Everything that may be run on the control-plane nodes of a cluster: nothing else is ever sent to them. */
export class NodeDocuments extends Construct {
  private readonly documents: ReadonlyMap<NodeCommandName, CfnDocument>;

  constructor(scope: Construct, id: string, { clusterName, ...paths }: NodeDocumentsProps) {
    super(scope, id);
    this.documents = new Map(
      (Object.keys(NodeCommands) as NodeCommandName[]).map((command) => [
        command,
        new CfnDocument(this, command, {
          name: nodeDocumentName(clusterName, command),
          documentType: 'Command',
          documentFormat: 'JSON',
          // A named document is never replaced: a changed script becomes its next default version.
          updateMethod: 'NewVersion',
          content: nodeDocument(command, paths),
        }),
      ]),
    );
  }

  /** The document of one command, for the grant of whoever sends it. */
  document(command: NodeCommandName): CfnDocument {
    const found = this.documents.get(command);
    if (found === undefined) throw new RangeError(`there is no document for ${command}`);
    return found;
  }
}
