import { readFileSync, readdirSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { NodeCommands, NodeErrorNames, nodeVariable } from '../../../lambdas/contract/node-commands';
import type { NodeCommandName } from '../../../lambdas/contract/node-commands';
import { NodeDocuments, nodeDocument } from '../../../lib/nodes/node-documents';
import { nodeScript } from '../../../lib/nodes/node-script';

const commands = Object.keys(NodeCommands) as NodeCommandName[];
const scripts = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.sh'));

test('every script has a document, and every document a script', () => {
  expect(scripts('nodes').filter((name) => name !== 'library.sh').sort()).toEqual(commands.map((name) => `${name}.sh`).sort()); // prettier-ignore
});

test.each(commands)('%s fits into a document: 64 KB, and no braces that Systems Manager would take for a parameter', (command) => {
  const content = JSON.stringify(nodeDocument(command, {}));

  expect(content.length).toBeLessThan(64 * 1024);
  const placeholders = [...content.matchAll(/\{\{ ?(\w*) ?\}?\}?/g)].map(([, name]) => name);
  expect(placeholders).toEqual([...NodeCommands[command].parameters]);
});

test.each(commands)('%s gets what its own lines ask for', (command) => {
  const asked = new Set(readFileSync(`nodes/${command}.sh`, 'utf8').match(/LIFEBOAT_[A-Z0-9_]+/g));
  const given = [...NodeCommands[command].parameters, 'command'].map(nodeVariable);

  expect([...asked].filter((name) => !given.includes(name))).toEqual([]);
});

test.each(commands)('%s is one script, with everything that it sources, for bash', (command) => {
  const lines = nodeScript(command);

  expect(lines[0]).toBe('#!/usr/bin/env bash');
  expect(lines.filter((line) => line.includes('BASH_SOURCE'))).toEqual([]);
  for (const name of scripts('nodes/library'))
    expect(readFileSync(`nodes/library/${name}`, 'utf8')).toContain('# Part of every node document');
  expect(lines).toContain('report() {');
});

test('the contract knows the errors that the scripts give, and no others', () => {
  const texts = [...scripts('nodes').map((name) => `nodes/${name}`), ...scripts('nodes/library').map((name) => `nodes/library/${name}`)]
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');

  const given = [...texts.matchAll(/\bfail ([A-Z]\w+)/g)].map(([, name]) => name!);

  expect([...new Set([...given, 'UnexpectedFailure'])].sort()).toEqual([...NodeErrorNames]);
});

const OWN: Readonly<Record<string, string>> = {
  manifestDir: '/etc/manifests',
  dataDir: '/data/etcd',
  pkiDir: '/etc/pki',
  stateDir: '/var/lib/kube-lifeboat',
};

test('a stack has each document under the cluster’s name, with the cluster’s own paths', () => {
  const stack = new Stack(new App(), 'Stack');
  const documents = new NodeDocuments(stack, 'Nodes', {
    clusterName: 'prod-eu',
    manifestDir: '/etc/manifests',
    etcdDataDir: '/data/etcd',
    pkiDir: '/etc/pki',
  });

  const found = Object.values(Template.fromStack(stack).findResources('AWS::SSM::Document')) as {
    Properties: { Name: string; DocumentType: string; UpdateMethod: string; Content: { parameters: Record<string, { default?: string }> } };
  }[];

  expect(found.map(({ Properties }) => Properties.Name).sort()).toEqual(commands.map((name) => `lifeboat-prod-eu-${name}`).sort());
  for (const { Properties } of found) {
    expect(Properties).toMatchObject({ DocumentType: 'Command', UpdateMethod: 'NewVersion' });
    for (const [name, { default: value }] of Object.entries(Properties.Content.parameters))
      if (name in OWN) expect([name, value]).toEqual([name, OWN[name]]);
  }
  expect(documents.document('stop').name).toBe('lifeboat-prod-eu-stop');
});
