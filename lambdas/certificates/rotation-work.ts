import { CertificateFacts } from '../contract/node-certificates';
import type { NodeSetSecret } from '../contract/certificates';
import type { RunbookNode } from '../contract/restore';
import type { RunOnNodeEdges } from '../nodes/run-on-node';
import { runOnNode } from '../nodes/run-on-node';
import type { RegisteredNode } from '../nodes/ssm-nodes';
import type { CertificateSettings } from './adopt';
import { clusterPlaceOf } from './cluster-place';
import { RotationRefused } from './errors';
import { presentSetOf } from './kept-leaf';
import { mintSet } from './minted-set';
import type { MintInput } from './minted-set';
import { outdatedBecause } from './outdated-set';
import type { RotateEdges } from './rotate';
import { accountKeys, signingAuthorities } from './signing-authorities';
import type { PkiSecrets } from './take-over';
import { toldNodeOf } from './told-node';

export interface RotationWorld extends RunOnNodeEdges {
  readonly cluster: string;
  readonly settings: CertificateSettings;
  readonly registered: () => Promise<readonly RegisteredNode[]>;
  readonly pki: Pick<PkiSecrets, 'authority' | 'serviceAccounts'>;
  /** The set that a node has by now; undefined before its first rotation. */
  readonly currentSet: (secretId: string) => Promise<NodeSetSecret | undefined>;
  /** When the function must have ended. */
  readonly until: Date;
}

/** A node that does not answer costs a rotation nothing: it is tried again. */
const SILENCE_SECONDS = 120;
/** etcd and the API server take up new files within a second, kube-controller-manager starts within ten. */
const WAIT_SECONDS = '90';

/** What a rotation does on its node and with the authorities. */
export function rotationWork(world: RotationWorld): Pick<RotateEdges, 'mint' | 'outdated' | 'install' | 'putBack'> {
  const { until } = world;
  const on = { silenceSeconds: SILENCE_SECONDS, until };
  return {
    mint: async (secretId) => mintSet(await mintInput(world, secretId, await nodeOf(world, secretId))),
    outdated: async (set) => {
      const [authorities, accounts] = await Promise.all([signingAuthorities(world.pki, set.node.host), accountKeys(world.pki)]);
      return outdatedBecause(set, authorities, world.now(), accounts);
    },
    install: async (secretId, secretVersion, { node }, setSha256) => {
      const parameters = { secretId, secretVersion, setSha256, waitSeconds: WAIT_SECONDS };
      await runOnNode(world, { ...on, command: 'install-certificates', node, parameters });
    },
    putBack: async (secretVersion, { node }) => {
      await runOnNode(world, { ...on, command: 'previous-certificates', node, parameters: { secretVersion, waitSeconds: WAIT_SECONDS } });
    },
  };
}

/** The node that a secret is named after. Secrets Manager hangs a dash and six characters of its own on the name in an ARN. */
async function nodeOf({ registered }: RotationWorld, secretId: string): Promise<RunbookNode> {
  const instanceId = /\/nodes\/(m?i-[0-9a-f]{8,17})(?:-[A-Za-z0-9]{6})?$/.exec(secretId)?.[1];
  const node = (await registered()).find((each) => each.instanceId === instanceId);
  if (node !== undefined) return { instanceId: node.instanceId, host: node.host };
  throw new RotationRefused(
    `${instanceId ?? secretId} is no control-plane node that systems manager knows: tag it, or delete its secret when the machine is gone`,
  );
}

async function mintInput(world: RotationWorld, secretId: string, node: RunbookNode): Promise<MintInput> {
  const { settings, now, pki, until } = world;
  const run = { command: 'certificate-facts', node, parameters: {}, silenceSeconds: SILENCE_SECONDS, until } as const;
  const told = await toldNodeOf(node, CertificateFacts.parse(await runOnNode(world, run)));
  const [authorities, accounts, present] = await Promise.all([
    signingAuthorities(pki, node.host),
    accountKeys(pki),
    world.currentSet(secretId),
  ]);
  const { leafValidityDays, renewBeforeDays } = settings;
  return {
    node: told,
    cluster: clusterPlaceOf([told], settings.api),
    authorities,
    accounts,
    leafValidityDays,
    now: now(),
    ...(present && { keep: { present: await presentSetOf(present), everyDays: leafValidityDays - renewBeforeDays } }),
  };
}
