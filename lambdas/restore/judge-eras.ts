import type { Era, Eras } from '../contract/pki-generations';
import { PkiName } from '../contract/pki-generations';
import type { PlannedEra, RestoreMode } from '../contract/restore';
import { shortId } from '../contract/short-id';

/**
 * What it means of each part of the PKI that the data is from the time of a snapshot, and the nodes from today: their files stay, and no key of then
 * is put back. Nothing of it is refused: a cluster that serves with a stranger's bundle is better than none.
 *
 * @param then by which generations the cluster lived when the snapshot was taken, as it names them
 * @param now the same of today, as it is noted
 * @returns nothing of what nobody knows anything about, and nothing for a drill, of which nothing stays
 */
export function judgeEras(then: Eras, now: Eras, mode: RestoreMode): PlannedEra[] {
  if (mode === 'drill') return [];
  return PkiName.options.flatMap((of) => {
    const [before, today] = [then[of], now[of]];
    return before === undefined && today === undefined ? [] : [judge(of, before, today, mode)];
  });
}

function judge(of: PkiName, then: Era | undefined, now: Era | undefined, mode: RestoreMode): PlannedEra {
  const planned = (decision: PlannedEra['decision'], because: string): PlannedEra => ({
    ...{ of, then: then ?? null, now: now ?? null, decision },
    because: `${because}${underWay(now)}`,
  });
  if (now === undefined) return planned('tell', `nobody noted by what the cluster lives now: ${TO_LOOK_AT[of]}`);
  const change = then === undefined ? 'the snapshot does not say by what the cluster lived' : changeOf(of, then, now);
  if (change === undefined) return planned('same', then?.issuing === now.issuing ? 'as today' : 'what was trusted then is trusted today');
  if (mode !== 'in-place') return planned('tell', `${change}, and these nodes bring a PKI of their own: ${TO_LOOK_AT[of]}`);
  return HEALED.has(of) ? planned('heal', `${change}: ${MENDS[of]}`) : planned('tell', `${change}: ${MENDS[of]}`);
}

/** The lifeboat brings what the cluster tells of these to what they are today. */
const HEALED: ReadonlySet<PkiName> = new Set<PkiName>(['cluster', 'front-proxy']);

/** What differs; undefined where nothing in the data can. A new one that only came alone harms no token and no client of etcd. */
function changeOf(of: PkiName, then: Era, now: Era): string | undefined {
  const gone = then.trusted.filter((id) => !now.trusted.includes(id));
  const come = HEALED.has(of) ? now.trusted.filter((id) => !then.trusted.includes(id)) : [];
  const parts = [
    ...(gone.length === 0 ? [] : [`the data is of the time of ${gone.map(shortId).join(' and ')}, which nobody trusts any more`]),
    ...(come.length === 0 ? [] : [`the data does not name ${come.map(shortId).join(' and ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join(', and ');
}

/** Whatever the snapshot says, the state of a rotation is the one in the secret. */
const underWay = (now: Era | undefined): string =>
  now?.rotation === undefined ? '' : `; rotation ${now.rotation.id} stays in ${now.rotation.state}, and goes on`;

const TOKENS =
  'tokens in Secrets of the type kubernetes.io/service-account-token are refused if another key signed them: delete those and make them anew (kubectl get secrets -A --field-selector type=kubernetes.io/service-account-token); those of pods are renewed by their kubelets';
const CLIENTS_OF_ETCD =
  'no object of Kubernetes itself names it, but Secrets by which somebody reaches etcd, as monitoring or Calico do, are of then: make them anew';

const MENDS: Readonly<Record<PkiName, string>> = {
  cluster:
    'controller-managers publish kube-root-ca.crt anew, and the lifeboat writes cluster-info and the client CA of extension-apiserver-authentication after the restore; it names webhooks whose caBundle is of then',
  'front-proxy': 'the lifeboat writes the requestheader CA of extension-apiserver-authentication after the restore',
  etcd: CLIENTS_OF_ETCD,
  'service-accounts': TOKENS,
};

const TO_LOOK_AT: Readonly<Record<PkiName, string>> = {
  cluster:
    'look whether kube-root-ca.crt, kube-public/cluster-info, extension-apiserver-authentication and the caBundle of webhooks name the CA that the nodes have',
  'front-proxy': 'look whether extension-apiserver-authentication names the front-proxy CA that the nodes have',
  etcd: CLIENTS_OF_ETCD,
  'service-accounts': TOKENS,
};
