import { execFileSync } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';

// Whatever lines a log of etcd has: who was refused for a certificate is counted once for each address, port and reason, and nobody else is.
const SCRIPT = path.join(__dirname, '../../../nodes/library/etcd-log.sh');
const MOST = 8;

const COUNTED = [
  'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  'remote error: tls: bad certificate',
  'remote error: tls: unknown certificate authority',
  'remote error: tls: expired certificate',
  'local error: tls: bad record MAC',
];
const PROBES = ["tls: client didn't provide a certificate", 'EOF', 'tls: first record does not look like a TLS handshake'];
const REASONS = ['', ' (possibly because of \\"crypto/rsa: verification error\\" while trying to verify \\"etcd-ca\\")'];

const line = fc.record({
  port: fc.constantFrom('peer', 'client', 'unknown'),
  address: fc.oneof(
    fc.nat(3).map((last) => `10.0.0.${last}`),
    fc.nat(3).map((last) => `[fd00::${last}]`),
  ),
  error: fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...COUNTED) }, { weight: 1, arbitrary: fc.constantFrom(...PROBES) }),
  reason: fc.constantFrom(...REASONS),
  source: fc.integer({ min: 1, max: 65_535 }),
  kept: fc.constantFrom('containerd', 'docker', 'plain', 'noise'),
});
type Line = typeof line extends fc.Arbitrary<infer T> ? T : never;

const at = (second: number): string => new Date(Date.UTC(2026, 10, 27) + second * 1_000).toISOString().replace('.000Z', '.123456Z');

function written({ port, address, error, reason, source, kept }: Line, second: number): string {
  const where = port === 'unknown' ? '' : ` on ${port} endpoint`;
  const json = `{"level":"warn","ts":"${at(second)}","caller":"embed/config_logging.go:194","msg":"rejected connection${where}","remote-addr":"${address}:${source}","server-name":"","error":"${error}${reason}"}`;
  switch (kept) {
    case 'containerd':
      return `${at(second)} stderr F ${json}`;
    case 'docker':
      return JSON.stringify({ log: `${json}\n`, stream: 'stderr', time: at(second) });
    case 'plain':
      return json;
    case 'noise':
      return json.replace('rejected connection', 'established connection');
  }
}

function counted(lines: readonly Line[]): string[] {
  const found = new Map<string, { times: number; first: string; last: string }>();
  lines.forEach(({ port, address, error, kept }, second) => {
    if (kept === 'noise' || !COUNTED.includes(error)) return;
    const key = `${port}\t${address.replaceAll(/[[\]]/g, '')}\t${error}`;
    const { times = 0, first = at(second) } = found.get(key) ?? {};
    found.delete(key);
    found.set(key, { times: times + 1, first, last: at(second) });
  });
  const told = [...found].reverse().slice(0, MOST);
  return [
    String(Math.max(0, found.size - MOST)),
    ...told.map(([key, { times, first, last }]) => {
      const [port, address, error] = key.split('\t');
      return [port, address, times, first, last, error].join('\t');
    }),
  ];
}

test('each is counted, and told with the first and the last time, those of last first', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const input = lines.map((each, second) => `${written(each, second)}\n`).join('');

      const told = execFileSync('bash', ['-c', '. "$0"; refused_in', SCRIPT], { input, encoding: 'utf8' });

      expect(told.trimEnd().split('\n')).toEqual(counted(lines));
    }),
    { numRuns: 60 },
  );
});
