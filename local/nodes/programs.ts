import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The programs in the first folder on a node's PATH, and how they fail. */
export class Programs {
  private readonly aside: string;
  private readonly changed = new Set<string>();

  constructor(private readonly binDir: string) {
    this.aside = `${binDir}.aside`;
  }

  /** Puts a bash script in the place of a program, or nothing: what lies further back on PATH is found then. */
  change(name: string, body: string | undefined): void {
    const file = path.join(this.binDir, name);
    if (!this.changed.has(name) && isThere(file)) {
      mkdirSync(this.aside, { recursive: true });
      renameSync(file, path.join(this.aside, name));
    }
    this.changed.add(name);
    if (body === undefined) {
      rmSync(file, { force: true });
      return;
    }
    writeFileSync(`${file}.part`, `#!/bin/bash\n${body}\n`, { mode: 0o755 });
    renameSync(`${file}.part`, file);
  }

  /** Puts back what was there before the first change. */
  repair(): void {
    for (const name of this.changed) rmSync(path.join(this.binDir, name), { force: true });
    this.changed.clear();
    if (!existsSync(this.aside)) return;
    for (const name of readdirSync(this.aside)) renameSync(path.join(this.aside, name), path.join(this.binDir, name));
  }
}

/** Also for a link whose target is gone. */
const isThere = (file: string): boolean => lstatSync(file, { throwIfNoEntry: false }) !== undefined;
