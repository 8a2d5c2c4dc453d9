import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { endProcess, hasEnded, tailOf, waitUntil } from '../child-process';
import { pythonPath } from '../tools';
import { CHECK_EVERY_MS, FALL, RISE } from './health';
import type { Balancer, BalancerOptions } from './balancer';

const LISTENS_WITHIN_MS = 10_000;
const GRACE_MS = 2_000;

/** The file of HAProxy, where it is on PATH. */
export function haproxyOnPath(): string | undefined {
  const files = (process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, 'haproxy'));
  return files.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const haproxyConfig = ({ host, port, backends }: Pick<BalancerOptions, 'host' | 'port' | 'backends'>): string => `defaults
  mode tcp
  timeout connect 2s
  timeout client 1h
  timeout server 1h
  timeout check ${CHECK_EVERY_MS}ms
  retries 3
  option redispatch 1
frontend kubernetes
  bind ${host}:${port}
  default_backend apiservers
backend apiservers
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server check check-ssl verify none inter ${CHECK_EVERY_MS}ms fall ${FALL} rise ${RISE}
${backends.map((each) => `  server ${each.name} ${each.host}:${each.port}`).join('\n')}
`;

/** HAProxy in front of the API servers; it ends with this process, however that ends. */
export async function startHaproxy(program: string, options: BalancerOptions): Promise<Balancer> {
  const { host, port, folder } = options;
  const [config, log] = [path.join(folder, 'haproxy.cfg'), path.join(folder, 'haproxy.log')];
  writeFileSync(config, haproxyConfig(options));
  const output = openSync(log, 'a');
  const wrapper = path.join(__dirname, '../etcd/end-with-parent.py');
  const child = spawn(pythonPath(), [wrapper, program, '-db', '-f', config], { stdio: ['ignore', output, output] });
  closeSync(output);
  const stop = () => endProcess(child, GRACE_MS);
  try {
    await waitUntil('haproxy listens', LISTENS_WITHIN_MS, () => {
      if (hasEnded(child)) throw new Error(`haproxy ended, its log says:\n${tailOf(log, 10)}`);
      return listens(host, port);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { kind: 'haproxy', url: `https://${host}:${port}`, stop };
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
