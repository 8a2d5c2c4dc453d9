import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import fc from 'fast-check';
import { NodeCommands } from '../../../lambdas/contract/node-commands';
import type { NodeCommandName } from '../../../lambdas/contract/node-commands';
import { nodeScript } from '../../../lib/nodes/node-script';
import { withoutUnreachable } from '../../../lib/nodes/reachable-functions';

const kept = (script: string): string[] => withoutUnreachable(script.split('\n')).flatMap((line) => /^(\w+)\(\) \{/.exec(line)?.[1] ?? []);

test.each<[sentence: string, script: string, functions: string[]]>([
  ['one that the top level calls stays', 'a() { true; }\nb() { true; }\na', ['a']],
  ['one that only another one calls stays with it', 'a() {\n  b "$1"\n}\nb() {\n  c\n}\nc() { true; }\nd() { a; }\na', ['a', 'b', 'c']],
  ['one that a trap names stays', "finish() { true; }\ntrap 'finish $?' EXIT", ['finish']],
  ['one that is an argument stays', 'is_gone() { true; }\nwait_for() { "$@"; }\nwait_for is_gone', ['is_gone', 'wait_for']],
  ['one that a string names stays', 'look() { true; }\necho "$(look)"', ['look']],
  ['two that call each other and nobody else does go', 'a() { b; }\nb() { a; }\ntrue', []],
  ['one that calls itself goes', 'a() {\n  a\n}\ntrue', []],
  ['one that is told anew stays twice', 'a() { true; }\na() { false; }\na', ['a', 'a']],
  ['one inside another is part of it', 'a() {\n  b() {\n    c\n  }\n}\nc() { true; }\na', ['a', 'c']],
])('%s', (_sentence, script, functions) => {
  expect(kept(script)).toEqual(functions);
});

test('statements stay, in their order', () => {
  const script = ['x=1', 'a() {', '  true', '}', 'y=2', 'b() { true; }', 'b'];

  expect(withoutUnreachable(script)).toEqual(['x=1', 'y=2', 'b() { true; }', 'b']);
});

test('a function without an end is refused', () => {
  expect(() => withoutUnreachable(['a() {', '  true'])).toThrow('function a has no line with "}" alone');
});

test('what is left calls nothing that went', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  fc.assert(
    fc.property(fc.dictionary(name, fc.array(name)), fc.array(name), (calls, top) => {
      const script = [...Object.entries(calls).map(([from, to]) => `${from}() { ${[':', ...to].join('; ')}; }`), ...top];
      const left = withoutUnreachable(script);
      const functions = new Set(kept(script.join('\n')));
      const words = left.flatMap((line) => line.replace(/^\w+\(\)/, '').match(/\b[a-e]\b/g) ?? []);
      return words.every((word) => functions.has(word) || !(word in calls));
    }),
  );
});

const commands = Object.keys(NodeCommands) as NodeCommandName[];

const library = readdirSync('nodes/library').flatMap((file) =>
  [...readFileSync(`nodes/library/${file}`, 'utf8').matchAll(/^(\w+)\(\) \{/gm)].map(([, name]) => name!),
);

test('no two files of the library have a function of the same name', () => {
  expect(library.filter((name, index) => library.indexOf(name) !== index)).toEqual([]);
});

test.each(commands)('%s has every function of the library that its words name, and bash can read it', (command) => {
  const script = nodeScript(command).join('\n');
  const defined = new Set([...script.matchAll(/^\s*(\w+)\(\) \{/gm)].map(([, name]) => name));
  const words = new Set(script.match(/\w+/g));

  expect(library.filter((name) => words.has(name) && !defined.has(name))).toEqual([]);
  execFileSync('/bin/bash', ['-n', '-c', script]);
});
