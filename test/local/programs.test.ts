import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Programs } from '../../local/nodes/programs';

let folder: string;
let programs: Programs;
const file = (name: string): string => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lifeboat-programs-'));
  symlinkSync('/bin/true', file('aws'));
  programs = new Programs(folder);
});
afterEach(() => {
  for (const each of [folder, `${folder}.aside`]) rmSync(each, { recursive: true, force: true });
});

test('a program that was changed twice is put back as it was, a link as a link', () => {
  programs.change('aws', 'exit 1');
  programs.change('aws', 'echo "$1"');
  expect(execFileSync(file('aws'), ['changed'], { encoding: 'utf8' })).toBe('changed\n');

  programs.repair();

  expect(readlinkSync(file('aws'))).toBe('/bin/true');
});

test('a program that was not there is gone after the repair, and one that was taken away is back', () => {
  programs.change('aws', undefined);
  programs.change('curl', 'exit 1');
  expect([existsSync(file('aws')), existsSync(file('curl'))]).toEqual([false, true]);

  programs.repair();
  programs.repair();

  expect([existsSync(file('aws')), existsSync(file('curl'))]).toEqual([true, false]);
});
