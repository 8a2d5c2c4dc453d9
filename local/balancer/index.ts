import type { Balancer, BalancerOptions } from './balancer';
import { haproxyOnPath, startHaproxy } from './haproxy';
import { startOwnBalancer } from './own';

export type { Balancer } from './balancer';

export function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const program = haproxyOnPath();
  if (options.kind === 'haproxy' && program === undefined) throw new Error('haproxy is not on PATH: install it, or leave the choice open');
  return program === undefined || options.kind === 'own' ? startOwnBalancer(options) : startHaproxy(program, options);
}
