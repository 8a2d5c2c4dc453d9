import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { NodeCommandName, NodeFacts } from '../../../lambdas/contract/node-commands';
import { snapshotStatus } from '../../../local/etcd/restored-member';
import type { LocalNode, LocalNodes } from '../../../local/nodes';
import type { EtcdRelease } from '../../../local/tools';
import type { Outcome, Values } from '../../support/node-script';
import { runScript, succeeded } from '../../support/node-script';

/** A snapshot file that etcd made, and what its manifest would say. */
export interface SnapshotOnDisk {
  readonly file: string;
  readonly parameters: Readonly<Record<'snapshotUrl' | 'snapshotBytes' | 'snapshotSha256' | 'snapshotHash' | 'snapshotRevision', string>>;
}

export async function snapshotOnDisk(folder: string, release: EtcdRelease): Promise<SnapshotOnDisk> {
  const content = gunzipSync(readFileSync(`test/fixtures/snapshots/etcd-${release}.db.gz`));
  const file = path.join(folder, 'snapshot.db');
  writeFileSync(file, content);
  const { hash, revision } = await snapshotStatus(file, release);
  const snapshotSha256 = createHash('sha256').update(content).digest('hex');
  return {
    file,
    parameters: {
      snapshotUrl: 's3://state/snapshot.db',
      snapshotBytes: String(content.length),
      snapshotSha256,
      snapshotHash: hash,
      snapshotRevision: String(revision),
    },
  };
}

/** In the place of the AWS command line: `s3 cp` gives this file. */
export function serveByAws(node: LocalNode, file: string): void {
  node.breakProgram('aws', `[ "$1 $2" = "s3 cp" ] || exit 9\nexec cp ${file} "\${@: -1}"`);
}

/** A node and the parameters of one restore on it. */
export class NodeUnderTest {
  constructor(
    readonly node: LocalNode,
    private readonly values: Values,
  ) {}

  static of(nodes: LocalNodes, snapshot: SnapshotOnDisk, restoreId: string): NodeUnderTest {
    const [node] = nodes.nodes;
    if (node === undefined) throw new Error('there is no node');
    const restore = { clusterToken: `lifeboat-${restoreId}`, bumpRevision: '1000', initialCluster: nodes.initialCluster };
    return new NodeUnderTest(node, { ...node.paths, ...snapshot.parameters, ...restore, restoreId, waitSeconds: '30' });
  }

  valuesOf(change: Values = {}): Values {
    return { ...this.values, ...change };
  }

  run(command: NodeCommandName, change: Values = {}): Promise<Outcome> {
    return runScript(command, this.valuesOf(change), this.node.env);
  }

  /** The result of a document that must succeed. */
  async do<C extends NodeCommandName>(command: C, change: Values = {}): Promise<ReturnType<typeof succeeded<C>>> {
    return succeeded(command, await this.run(command, change));
  }

  facts(): Promise<NodeFacts> {
    return this.do('facts');
  }

  keep(name: string): string {
    const kept = path.join(this.node.tree.folder, name);
    copyFileSync(path.join(this.node.tree.manifestDir, 'etcd.yaml'), kept);
    return kept;
  }
}
