// The commands of the runbook's articles, pasted one after the other as somebody does who was woken.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { awsEnvironment } from '../../../local/cloud/clients';
import { commandsOf } from '../../support/article';
import { ShellSession } from '../../support/shell-session';
import { RestoreWorld } from './world';

jest.setTimeout(300_000);

// It is the one program of the articles that the set-up does not bring.
const withJq = spawnSync('jq', ['--version']).status === 0 ? describe : describe.skip;

withJq('the commands of the runbook', () => {
  const names = commandsOf('Names and tools');
  const restoring = commandsOf('Restore the control plane');
  const replacing = commandsOf('Replace a member');
  const pasted = new Set<string>();
  let world: RestoreWorld;
  let snapshot: string;
  let folder: string;
  const shells: ShellSession[] = [];
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-article-'));
    world = await RestoreWorld.start({ megabytes: 2 });
    await world.put('/registry/configmaps/default/before');
    snapshot = await world.backup();
  });
  afterAll(async () => {
    for (const shell of shells) await shell.stop();
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
    expect([...restoring, ...replacing].filter((block) => !pasted.has(block))).toEqual([]);
  });

  /** Somebody's shell, in which the first commands of the runbook have run. */
  async function openShell() {
    const home = mkdtempSync(path.join(folder, 'shell-'));
    const shell = new ShellSession(home, awsEnvironment(world.cloud.endpoint, home));
    shells.push(shell);
    const examples = {
      'prod-eu': world.lifeboat.cluster,
      'eu-central-1': world.cloud.region,
      '20261123T182815Z-0a1b2c3d': snapshot,
      'i-0123456789abcdef0': world.nodes.nodes[2]!.instanceId,
    };
    const type = async (commands: string, timeoutMs?: number) => {
      const output = await shell.run(commands, timeoutMs);
      expect(output).not.toMatch(/an error occurred|not found|usage:|unknown option|parse error/i);
      return output;
    };
    /** Pastes the one block that has these words, with the examples in it replaced. */
    const paste = async (words: string) => {
      const blocks = [...names, ...restoring, ...replacing].filter((block) => block.includes(words));
      expect(blocks).toHaveLength(1);
      pasted.add(blocks[0]!);
      const commands = Object.entries(examples).reduce((text, [example, real]) => text.replaceAll(example, real), blocks[0]!);
      // Version 1 of `aws`, which the set-up brings, takes payloads as they are and does not know how to be told.
      return type(commands.replace('--cli-binary-format raw-in-base64-out', ''), 120_000);
    };
    const executionIn = async (machine: 'restore' | 'replaceMember') =>
      world.lifeboat[machine].execution((await type('echo "$EXECUTION"')).trim());
    /** Waits for the question by the article's own loop, and answers it by the command that stands in it. */
    const approve = async () => {
      const question = await paste('until aws s3 cp');
      await type(question.split('\n').find((line) => line.startsWith('aws stepfunctions send-task-success'))!);
    };
    await paste('export CLUSTER=');
    await paste('run() {');
    return { paste, executionIn, approve };
  }

  test('restore: from the list of snapshots over a dry run to one that was aborted and undone, and one that was redriven', async () => {
    const { paste, executionIn, approve } = await openShell();

    expect(await paste('aws s3 sync')).toMatch(
      new RegExp(`^${snapshot}\\t.*\\trevision \\d+\\tverified true\\tmanual\\t\\d+ objects\\t\\d+ configmaps$`, 'm'),
    );
    await paste('"dryRun": true');
    // It asks nobody, and is waited for all the same.
    expect(await paste('until aws s3 cp')).toMatch(/^SUCCEEDED\tNone\tNone$/m);
    expect(await paste('get-execution-history')).toMatch(/Stage[^]*"outcome": "DRY_RUN"/);
    expect(await paste('aws logs')).toContain('restore-planned');

    await paste('export SNAPSHOT=');
    await approve();
    const aborted = await executionIn('restore');
    await aborted.enters('Stage', { timeoutMs: 120_000 });
    await aborted.stop();
    // A first try may not be the last one.
    for (const _try of [1, 2]) {
      await paste('rollBack');
      expect(await (await executionIn('restore')).wait({ timeoutMs: 120_000 })).toMatchObject({ error: 'ROLLED_BACK' });
      expect(await paste('get-execution-history')).toContain('"outcome": "ROLLED_BACK"');
    }

    await paste(`"$ID" '{}'`);
    await approve();
    const redriven = await executionIn('restore');
    await redriven.enters('StartEtcd', { timeoutMs: 120_000 });
    await redriven.stop();
    const another = await openShell();
    await another.paste('list-executions');
    await another.paste('redrive-execution');
    expect(await redriven.wait({ timeoutMs: 120_000 })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await paste('get-execution-history')).toMatch(/"outcome": "RESTORED",\s*"approvedBy": "your name"/);
    expect(await paste('aws ssm send-command')).toContain('lifeboat-demo-clean-up');
    expect(await paste('"trigger": "manual"')).toMatch(/"verified": ?true/);
  });

  test('replace: a member whose disk was wiped', async () => {
    const { paste, executionIn, approve } = await openShell();
    const node = world.nodes.nodes[2]!;
    for (const entry of readdirSync(node.tree.dataDir)) rmSync(path.join(node.tree.dataDir, entry), { recursive: true });
    process.kill(node.pid('etcd')!, 'SIGKILL');

    await paste('replace() {');
    await approve();

    expect(await (await executionIn('replaceMember')).wait({ timeoutMs: 200_000 })).toMatchObject({ status: 'SUCCEEDED' });
    expect(await paste('get-execution-history')).toContain('"outcome": "REPLACED"');
    await world.ready();
  });
});
