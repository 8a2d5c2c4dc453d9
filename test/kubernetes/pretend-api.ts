import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { issueLeaf, newAuthority } from '../../lambdas/pki/issue';
import { PROFILES } from '../../lambdas/pki/profiles';
import type { ApiPlace } from '../../lambdas/kubernetes/api-client';
import { sharedKey } from '../pki/pki-world';
import { listening } from '../ports/listener';
import type { Listener } from '../ports/listener';

// The clock of TLS is the real one.
const term = { notAfter: new Date(Date.now() + 86_400_000), now: new Date() };
const root = newAuthority('cluster', { generation: 1, ...term, key: sharedKey('cluster 1') });
const issue = (leaf: 'apiserver' | 'apiserver-kubelet-client') => {
  const profile = PROFILES[leaf]({ nodeName: 'master-1', sans: ['127.0.0.1', '10.96.0.1'] });
  return issueLeaf(root, profile, { ...term, key: sharedKey('leaf') });
};
const served = issue('apiserver');
const client = issue('apiserver-kubelet-client');

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly type: string | undefined;
  /** What it takes for an answer, in the order of its preference. */
  readonly accepts: readonly string[];
  readonly body: string;
  /** The common name of the client's certificate. */
  readonly who: string;
}

/** An API server on loopback: it takes clients of its authority alone, and answers what the test says. */
export class PretendApi {
  readonly asked: Request[] = [];

  private constructor(
    private readonly listener: () => Listener,
    readonly place: ApiPlace,
  ) {}

  static async start(answer: (request: Request) => readonly [status: number, body: unknown] | 'nothing' | 'half'): Promise<PretendApi> {
    const respond = async (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) body += part;
      const { socket, method = '', url = '', headers } = request;
      const peer = 'getPeerCertificate' in socket ? (socket as unknown as PeerSocket).getPeerCertificate() : undefined;
      const accepts = (headers.accept ?? '').split(',').map((each) => each.trim());
      const one = { method, path: url, type: headers['content-type'], accepts, body, who: peer?.subject.CN ?? '' };
      api.asked.push(one);
      const told = answer(one);
      if (told === 'half') response.writeHead(200).write('{');
      if (told === 'nothing' || told === 'half') return;
      response.writeHead(told[0], { 'Content-Type': 'application/json' });
      response.end(typeof told[1] === 'string' ? told[1] : JSON.stringify(told[1]));
    };
    const server = createServer(
      { cert: served.cert, key: served.key, ca: root.cert, requestCert: true, rejectUnauthorized: true },
      (request, response) => void respond(request, response),
    );
    const listener = await listening(server);
    const { host, port } = listener;
    const api = new PretendApi(() => listener, { host, port, ca: root.cert, client: { cert: client.cert, key: client.key } });
    return api;
  }

  stop(): Promise<void> {
    return this.listener().stop();
  }
}

interface PeerSocket {
  getPeerCertificate(): { readonly subject: { readonly CN: string } };
}
