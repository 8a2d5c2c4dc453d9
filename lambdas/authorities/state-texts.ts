import type { RotationMode, RotationState } from '../contract/authority-rotation';
import type { AuthorityName } from '../contract/certificate-names';
import { stateBefore } from './rotation-path';

const TRUST_OF: Readonly<Record<AuthorityName, string>> = {
  cluster: '--client-ca-file, clientCAFile of the kubelets, --root-ca-file and cluster-info',
  etcd: 'the trusted CA files of etcd and --etcd-cafile',
  'front-proxy': '--requestheader-client-ca-file',
};

const LEAVES_OF: Readonly<Record<AuthorityName, string>> = {
  cluster: 'the leaf of the apiserver, its client for kubelets, and the kubeconfigs of control-plane nodes',
  etcd: 'the leaves of etcd and of its clients',
  'front-proxy': 'the client of the front proxy',
};

/** Of what the first place can take back at once: a kubelet there goes with all other kubelets. */
const FIRST_TRUST: Readonly<Record<AuthorityName, string>> = { ...TRUST_OF, cluster: '--client-ca-file' };

/** What is done in a state, in its order, as a person is told it. */
export function doneIn(state: RotationState, authority: AuthorityName, mode: RotationMode): readonly string[] {
  const chain = mode === 'planned' ? ', with the cross certificate after each' : '';
  switch (state) {
    case 'MINTED':
      return [
        'see that a verified snapshot of etcd is there',
        mode === 'planned' ? 'mint the new root and have the old one sign its name and key' : 'mint the new root',
        'try every chain against everybody who will see it',
      ];
    case 'TRUSTED':
      return [
        `put old and new root into ${TRUST_OF[authority]} of every node`,
        ...(authority === 'etcd' && mode === 'planned' ? ['start no member for it: it is there for one that starts by itself'] : []),
        'give both to every node that joins from now on',
      ];
    case 'ISSUING':
      return [
        `renew ${LEAVES_OF[authority]}, node by node${chain}`,
        ...(authority === 'cluster'
          ? ['let the controller-manager of each sign by the new root, and give its kubelet a certificate by it']
          : []),
      ];
    case 'SOAKING':
      return authority === 'cluster'
        ? ['wait for people: kubelets of workers, kubeconfigs, the hash for kubeadm join', 'list every place that still hides the old root']
        : ['let clients connect anew', 'list every place that still hides the old root'];
    case 'DISTRUST-CANARY':
      return [`take the old root out of ${FIRST_TRUST[authority]} of one control-plane node`, 'watch what it refuses'];
    case 'DISTRUSTED':
      return [
        `take the old root out of ${TRUST_OF[authority]} of every node, one by one`,
        ...(authority === 'etcd' ? [] : ['take it out of extension-apiserver-authentication, which only ever grows by itself']),
        ...(mode === 'planned' ? ['stop to serve the cross certificate, and watch who is refused'] : []),
        'destroy the old key, and keep its certificate as long as snapshots are left from its time',
      ];
  }
}

/** How a rotation goes back from a state, and what that costs. */
export function wayBackFrom(state: RotationState, authority: AuthorityName, mode: RotationMode): string {
  const back = stateBefore(mode, state);
  if (back === undefined) return 'none: the key of the old root is known elsewhere, and what went wrong is repaired under the new one';
  const restart = authority === 'etcd' ? 'with one start of etcd and apiserver on each node that did' : 'live, within a minute';
  switch (state) {
    case 'MINTED':
      return 'forget the new root: nobody has seen it';
    case 'TRUSTED':
      return 'distribute the old root alone again: nothing is signed by the new one yet';
    case 'ISSUING':
      return 'renew the leaves by the old root, which everybody still trusts, without a restart but for what holds a kubeconfig';
    case 'SOAKING':
      return 'go back to issuing, and from there to the old root';
    case 'DISTRUST-CANARY':
      return `distribute both roots again, ${restart}`;
    case 'DISTRUSTED':
      return `distribute both roots again, ${restart}, and soak once more, for whoever was given the new one alone`;
  }
}
