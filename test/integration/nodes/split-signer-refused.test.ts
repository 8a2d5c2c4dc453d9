import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createAuthority } from '../../../local/etcd/certificates';
import type { LocalNodes } from '../../../local/nodes';
import { startLocalNodes } from '../../../local/nodes';
import type { Values } from '../../support/node-script';
import { SignerNode } from './signer-world';

// Nodes whose signer is not split: nothing is changed on them.
jest.setTimeout(120_000);

let nodes: LocalNodes;
let on: SignerNode;
beforeAll(async () => {
  nodes = await startLocalNodes({ count: 1, certificates: 'whole' });
  on = new SignerNode(nodes.nodes[0]!);
});
beforeEach(() => on.reset());
afterAll(() => nodes.stop());

describe('a node without a signer', () => {
  test.each<[sentence: string, text: () => string | undefined]>([
    ['no controller-manager', () => undefined],
    ['one with the flags that kubeadm writes for an external CA', () => on.manifest.replaceAll(/(--cluster-signing-\w+-file=).*/g, '$1')],
  ])('%s', async (_sentence, text) => {
    const before = on.everything();

    expect(await on.do('split-signer', { manifestDir: on.otherManifests(text()) })).toMatchObject({
      was: 'none',
      signer: null,
      restarted: [],
    });
    expect(on.everything()).toEqual(before);
  });
});

describe('refused with nothing changed', () => {
  const flag = '--cluster-signing-cert-file';
  const changed = (from: string | RegExp, to: string): Values => ({ manifestDir: on.otherManifests(on.manifest.replaceAll(from, to)) });
  const done = (act: () => unknown) => async (): Promise<Values> => {
    await act();
    return {};
  };
  /** One that was just started has yet to read its files, and ends when they are gone by then. */
  const taken = (act: () => unknown) => async (): Promise<Values> => {
    await on.managerStays();
    return done(act)();
  };

  test.each<[sentence: string, arrange: () => Values | Promise<Values>, error: string, message: string]>([
    [
      'several signers',
      () => changed(/--cluster-signing-(cert|key)-file/g, '--cluster-signing-kubelet-client-$1-file'),
      'SignerUnclear',
      'kubelet-client',
    ],
    ['flags in another form', () => changed(`${flag}=`, `${flag}\n    - `), 'SignerUnclear', 'cannot be read'],
    ['a certificate without a key', () => changed(/.*--cluster-signing-key-file.*\n/g, ''), 'SignerUnclear', 'cannot be read'],
    [
      'another folder in the container',
      () => changed(`mountPath: ${on.node.tree.pkiDir}\n`, 'mountPath: /elsewhere\n'),
      'SignerUnfit',
      'looks for',
    ],
    [
      'the files mounted one by one',
      () => changed(/((?:mountPath|path): .*\/pki)$/gm, '$1/ca.crt'),
      'SignerUnclear',
      'nowhere on this node',
    ],
    ['names that sed reads otherwise', () => changed(/(--cluster-signing-key-file=.*)ca\.key/g, '$1c&a.key'), 'SignerUnclear', 'c&a.key'],
    ['a key that is not there', taken(() => rmSync(on.file('pki/ca.key'))), 'SignerUnfit', 'not there, or not the key of'],
    [
      'a key of another authority',
      taken(() => writeFileSync(on.file('pki/ca.key'), createAuthority().key)),
      'SignerUnfit',
      'not the key of',
    ],
    [
      'two authorities in pki/ca.crt already',
      taken(() => writeFileSync(on.file('pki/ca.crt'), createAuthority().cert + on.read('pki/ca.crt'))),
      'SignerUnfit',
      'has 2 certificates',
    ],
    [
      'a controller-manager that does not run',
      done(() => {
        on.node.pauseKubelet();
        return on.endManager();
      }),
      'SignerNotSplit',
      'does not run',
    ],
    ['own files that are gone', () => changed('/ca.crt', '/elsewhere/ca.crt'), 'SignerUnfit', 'elsewhere/ca.crt'],
    [
      'a controller-manager that systemd runs',
      () => {
        on.node.breakProgram('systemctl', 'case $2 in kube-controller-manager.service) echo loaded ;; *) echo not-found ;; esac');
        return { manifestDir: on.otherManifests() };
      },
      'SignerUnclear',
      'systemd runs',
    ],
  ])('%s', async (_sentence, arrange, error, message) => {
    const values = await arrange();
    const before = on.everything();

    expect(await on.refusal('split-signer', values)).toMatchObject({ error, message: expect.stringContaining(message) as string });
    expect(on.everything()).toEqual(before);
    expect(on.leftovers()).toEqual([]);
  });

  test('a manifest that is a link', async () => {
    const folder = on.otherManifests();
    const real = path.join(on.node.tree.folder, 'manager.yaml');
    writeFileSync(real, on.manifest);
    symlinkSync(real, path.join(folder, 'kube-controller-manager.yaml'));

    expect(await on.refusal('split-signer', { manifestDir: folder })).toMatchObject({ error: 'SignerUnclear' });
    rmSync(real);
  });

  test('while a restore has stopped parts of the node', async () => {
    const apiserver = path.join(on.node.tree.manifestDir, 'kube-apiserver.yaml');
    const kept = path.join(on.node.tree.folder, 'kept.yaml');
    const heal = on.keepByRestore();
    renameSync(apiserver, kept);
    try {
      expect(await on.refusal('split-signer')).toMatchObject({ error: 'RestoreInProgress' });
    } finally {
      renameSync(kept, apiserver);
      heal();
    }
  });
});
