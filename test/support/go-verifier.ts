import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A certificate as somebody sends it, and as somebody else judges it. PEM texts. */
export interface Question {
  /** The certificate and what its owner sends after it. */
  readonly chain: string;
  readonly roots: string;
  readonly as: 'server' | 'client';
  /** Which name or address a client connected to. @default - none is asked for */
  readonly host?: string;
  readonly at: Date;
  /** @default - not judged */
  readonly key?: string;
}

export interface GoVerifier {
  /** `ok`, or what crypto/x509 says, for each. */
  judge(questions: readonly Question[]): readonly string[];
  remove(): void;
}

/** Builds the program anew: from the standard library alone, and so without network. */
export function buildGoVerifier(): GoVerifier {
  const folder = mkdtempSync(path.join(tmpdir(), 'go-verifier-'));
  const program = path.join(folder, 'go-verifier');
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', GOPROXY: 'off', GOWORK: 'off', CGO_ENABLED: '0' };
  execFileSync('go', ['build', '-buildvcs=false', '-o', program, '.'], { cwd: path.join(__dirname, 'go-verifier'), env });
  return {
    judge: (questions) => JSON.parse(execFileSync(program, { input: JSON.stringify(questions), encoding: 'utf8' })) as string[],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
