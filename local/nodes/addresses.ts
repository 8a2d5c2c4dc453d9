import { freePort, isFree } from '../free-port';

/** Where the programs of one node listen. Each node has a loopback address of its own, so that all can use the standard ports. */
export interface Address {
  readonly name: string;
  readonly host: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly apiPort: number;
  readonly controllerManagerPort: number;
  readonly schedulerPort: number;
}

/** Whether nodes take the standard ports where nobody else has them, or any: several worlds may run beside each other. */
export type Ports = 'standard' | 'free';

const STANDARD = { client: 2379, peer: 2380, api: 6443, controllerManager: 10257, scheduler: 10259 };

/** The standard port where it is free and wanted, else any. */
export async function portOn(host: string, standard: number, ports: Ports): Promise<number> {
  return ports === 'standard' && (await isFree(standard, host)) ? standard : freePort(host);
}

export async function addressOf(number: number, ports: Ports, apiPort?: number): Promise<Address> {
  const host = `127.0.1.${number}`;
  const port = (program: keyof typeof STANDARD) => portOn(host, STANDARD[program], ports);
  return {
    name: `master-${number}`,
    host,
    clientUrl: `https://${host}:${await port('client')}`,
    peerUrl: `https://${host}:${await port('peer')}`,
    apiPort: apiPort ?? (await port('api')),
    controllerManagerPort: await port('controllerManager'),
    schedulerPort: await port('scheduler'),
  };
}
