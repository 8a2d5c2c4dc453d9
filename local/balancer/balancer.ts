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
