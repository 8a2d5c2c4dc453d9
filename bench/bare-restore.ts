import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../local/child-process';
import { startMember } from '../local/etcd/member';
import { startReadProbe } from '../local/etcd/read-probe';
import type { LocalNode, LocalNodes } from '../local/nodes';
import { readStaticPod } from '../local/nodes/static-pod';
import { etcdProgram } from '../local/tools';

const run = promisify(execFile);
/** About what the runbook adds: the same work for etcdutl, whatever the number. */
const BUMP = ['--bump-revision=1000000', '--mark-compacted'];
const ANSWERS_WITHIN_MS = 300_000;

export interface BareRestore {
  /** From the start of `etcdutl` to the first answered read. */
  readonly seconds: number;
  /** Of it, until the last `etcdutl` ended. */
  readonly etcdutlSeconds: number;
}

/**
 * What somebody does who has the plain file on every machine and etcd stopped already: `etcdutl snapshot restore`, start of etcd, and the first
 * answered read, on all nodes at the same time. The nodes must be without power; their own flags and certificates are used, in other folders.
 *
 * @param apartMs how much later than the one before each further member begins. Members that start at the same moment wait for each other in
 *   etcd's initial corruption check, which kubeadm switches on: it asks every peer before its own peer port answers, and gives each of them
 *   5 s and two election timeouts (etcd server/embed/etcd.go, server/etcdserver/corrupt.go)
 */
export async function bareRestore(nodes: LocalNodes, on: readonly LocalNode[], file: string, apartMs = 0): Promise<BareRestore> {
  const folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-bare-'));
  const { credentials, release } = nodes;
  const initialCluster = `--initial-cluster=${on.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',')}`;
  const probe = startReadProbe({ endpoints: on.map(({ clientUrl }) => clientUrl), credentials });
  const limit = AbortSignal.timeout(ANSWERS_WITHIN_MS);
  const started: { kill(): Promise<void> }[] = [];
  try {
    const began = performance.now();
    const answered = probe.answered();
    const restored = on.map(async ({ name, peerUrl, clientUrl, tree }, index) => {
      await sleep(index * apartMs);
      const dataDir = path.join(folder, name);
      const named = [`--name=${name}`, `--data-dir=${dataDir}`, initialCluster, `--initial-advertise-peer-urls=${peerUrl}`];
      await run(etcdProgram(release, 'etcdutl'), ['snapshot', 'restore', file, ...named, ...BUMP], { signal: limit });
      const etcdutlEnded = performance.now();
      const args = [...flagsOf(tree.manifestDir), `--data-dir=${dataDir}`, initialCluster];
      const logFile = path.join(folder, `${name}.log`);
      started.push(startMember({ name, clientUrl, dataDir, logFile, program: etcdProgram(release, 'etcd'), args, credentials }));
      return etcdutlEnded;
    });
    const lastEtcdutl = Math.max(...(await Promise.all(restored)));
    const tooLong = new Promise<never>((_resolve, reject) =>
      limit.addEventListener('abort', () => reject(new Error(`no member answered within ${ANSWERS_WITHIN_MS} ms`)), { once: true }),
    );
    const firstAnswer = await Promise.race([answered, tooLong]);
    return { seconds: (firstAnswer - began) / 1000, etcdutlSeconds: (lastEtcdutl - began) / 1000 };
  } finally {
    await probe.stop();
    await Promise.all(started.map((member) => member.kill()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Those of the static pod; of flags that are given twice, etcd takes the last. */
function flagsOf(manifestDir: string): readonly string[] {
  const pod = readStaticPod(readFileSync(path.join(manifestDir, 'etcd.yaml'), 'utf8'));
  if (pod === undefined) throw new Error(`${manifestDir}/etcd.yaml is not a pod`);
  return pod.command.slice(1);
}
