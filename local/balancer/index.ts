import { haproxyOnPath, startHaproxy } from './haproxy';
import { startOwnBalancer } from './own';

/** An API server behind the balancer. */
export interface Backend {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface BalancerOptions {
  readonly host: string;
  readonly port: number;
  readonly backends: readonly Backend[];
  /** For configuration and logs. */
  readonly folder: string;
  /** @default - HAProxy where it is on PATH */
  readonly kind?: Balancer['kind'];
}

/** What stands in front of the API servers: asks each for `/readyz` every second, and gives a refused connection to the next one. */
export interface Balancer {
  readonly kind: 'haproxy' | 'own';
  /** `https://host:port` */
  readonly url: string;
  stop(): Promise<void>;
}

export function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const program = haproxyOnPath();
  if (options.kind === 'haproxy' && program === undefined) throw new Error('haproxy is not on PATH: install it, or leave the choice open');
  return program === undefined || options.kind === 'own' ? startOwnBalancer(options) : startHaproxy(program, options);
}
