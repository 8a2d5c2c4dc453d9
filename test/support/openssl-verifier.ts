import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Question } from './go-verifier';

/** What the command says, and on what it stumbles when it fails. */
export function openssl(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync('openssl', args, { encoding: 'utf8' });
  return status === 0 ? stdout : `${stdout}${stderr}`;
}

/**
 * OpenSSL's own verdict on a chain. Security level 2 is that of Debian and Ubuntu; `strictly` asks for key ids and usages as RFC 5280 does, and
 * `as handshakes do` is what a TLS connection asks for.
 */
export function opensslJudges({ chain, roots, as, host, at }: Question, how: 'strictly' | 'as handshakes do'): 'ok' | 'refused' {
  const folder = mkdtempSync(path.join(tmpdir(), 'openssl-verifier-'));
  try {
    const fileOf = (name: string, text: string): string => {
      const file = path.join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    const by = host === undefined ? [] : [/^[0-9.]+$|:/.test(host) ? '-verify_ip' : '-verify_hostname', host];
    const moment = String(at.getTime() / 1000);
    const files = ['-CAfile', fileOf('roots', roots), '-untrusted', fileOf('chain', chain)];
    const strict = how === 'strictly' ? ['-x509_strict'] : [];
    const rules = [...strict, '-auth_level', '2', '-attime', moment, '-purpose', as === 'server' ? 'sslserver' : 'sslclient', ...by];
    return openssl('verify', ...rules, ...files, fileOf('leaf', chain))
      .trim()
      .endsWith('leaf: OK')
      ? 'ok'
      : 'refused';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
