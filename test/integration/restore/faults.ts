import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalNode } from '../../../local/nodes';

/** A document of the runbook as it is sent at one state. */
export interface Phase {
  readonly state: string;
  readonly command: string;
  readonly what?: string;
}

export const PHASES: readonly Phase[] = [
  { state: 'Facts', command: 'facts' },
  { state: 'Stage', command: 'stage' },
  { state: 'PrepareData', command: 'prepare-data' },
  { state: 'StopControlPlane', command: 'stop', what: 'apiserver' },
  { state: 'StopEtcd', command: 'stop', what: 'etcd' },
  { state: 'RestoreData', command: 'restore-data' },
  { state: 'StartEtcd', command: 'start', what: 'etcd' },
  { state: 'StartApiservers', command: 'start', what: 'apiserver' },
];

/** Whether anything was stopped by the time that a document runs. */
export const stoppedBefore = ({ state }: Phase): boolean => !['Facts', 'Stage', 'PrepareData'].includes(state);

/** What the execution ends with when the fault passes, and when it stays. */
export type Passing = 'passes' | 'stays' | 'node-gone';

export interface NodeFault {
  readonly name: string;
  /** What becomes of it: it passes by itself, it stays until somebody mends it, or the node is gone. */
  readonly kind: Passing;
  /** Phases at which it makes sense. */
  readonly at?: (phase: Phase) => boolean;
  /** Arms it; what has to run beside the execution is given back. */
  readonly arm: (node: LocalNode, phase: Phase) => (() => Promise<void>) | undefined;
}

const script = (name: string, kind: Passing, text: string, at?: NodeFault['at']): NodeFault => ({
  name,
  kind,
  ...(at && { at }),
  arm: (node, { command, what }) => {
    node.interfere(command, text, what);
    return undefined;
  },
});

/** The document begins, and its node dies under it. */
export const whileItRuns = (name: string, kind: Passing, happen: (node: LocalNode) => Promise<void>): NodeFault => ({
  name,
  kind,
  arm: (node, { command, what }) => {
    node.interfere(command, '[ $count -gt 1 ] || { touch reached; sleep 60; }', what);
    return async () => {
      await node.reached('reached');
      await happen(node);
    };
  },
});

/** The programs on the node's PATH are others: an etcdutl that runs this script, or none. */
const withPrograms = (name: string, etcdutl: string | undefined, at: NodeFault['at']): NodeFault => ({
  name,
  kind: 'stays',
  ...(at && { at }),
  arm: (node, { command }) => {
    const folder = path.join(node.tree.folder, 'other-bin');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    symlinkSync(path.join(node.tree.binDir, 'aws'), path.join(folder, 'aws'));
    if (etcdutl !== undefined) writeFileSync(path.join(folder, 'etcdutl'), `#!/bin/bash\n${etcdutl}\n`, { mode: 0o755 });
    node.interfere(command, `export PATH=${folder}:/usr/bin:/bin`);
    return undefined;
  },
});

/** The aws command line of the node runs this script. */
const withAws = (name: string, aws: string): NodeFault => ({
  name,
  kind: 'stays',
  at: isOneOf('Stage'),
  arm: (node) => {
    node.breakProgram('aws', aws);
    return undefined;
  },
});

const isOneOf =
  (...states: readonly string[]) =>
  ({ state }: Phase): boolean =>
    states.includes(state);

export const NODE_FAULTS: readonly NodeFault[] = [
  script('ends without a word', 'stays', 'exit 1'),
  script('ends without a word once', 'passes', '[ $count -gt 1 ] || exit 1'),
  script('is killed at its end, with all done', 'passes', '[ $count -gt 1 ] || { "$@" >/dev/null; kill -9 $$; }'),
  whileItRuns('reboots its node', 'passes', (node) => node.reboot()),
  whileItRuns('loses its node', 'node-gone', (node) => node.powerOff()),
  {
    name: 'takes too long',
    kind: 'stays',
    arm: (node, { command, what }) => {
      node.interfere(command, 'sleep 60', what);
      node.register({ secondsLimit: 3 });
      return undefined;
    },
  },
  script('finds the disk full', 'stays', `trap '' XFSZ; exec prlimit --fsize=1000 "$@"`, isOneOf('Stage', 'PrepareData')),
  withPrograms('finds no etcdutl', undefined, isOneOf('Stage', 'PrepareData')),
  withPrograms('finds an etcdutl of another release', 'echo "etcdutl version: 3.3.0"', isOneOf('Stage', 'PrepareData')),
  withAws(
    'may not read the snapshot',
    'echo "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied" >&2; exit 1',
  ),
  withAws('gets a corrupted download', 'head -c 100000 /dev/urandom >"${@: -1}"'),
  {
    name: 'finds its staged snapshot and its new data gone',
    kind: 'stays',
    at: isOneOf('RestoreData'),
    arm: (node, { command }) => {
      node.interfere(command, `rm -rf ${node.tree.stateDir}/restores/*/snapshot.db ${node.tree.dataDir}.lifeboat-*-new`);
      return undefined;
    },
  },
];
