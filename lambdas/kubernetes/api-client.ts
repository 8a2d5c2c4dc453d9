import { request } from 'node:https';
import { jsonOf } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import { ApiRefused } from './errors';

/** One API server, and who asks it. */
export interface ApiPlace {
  readonly host: string;
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly client: { readonly cert: string; readonly key: string };
}

/** The API of Kubernetes, as far as a lifeboat needs it. Paths as `/api/v1/nodes`. */
export interface KubernetesApi {
  /** undefined: there is no such object. @throws ApiRefused */
  get(path: string): Promise<unknown>;
  /**
   * RFC 7386. Changes nothing where the patch names a `metadata.resourceVersion` and the object has another by now.
   *
   * @returns whether it was written
   * @throws ApiRefused
   */
  mergePatch(path: string, patch: object): Promise<boolean>;
  /** What is made, or answered by a review. @throws ApiRefused without the answer, which may hold what is secret */
  post(path: string, body: object): Promise<unknown>;
}

const WITHIN_MS = 10_000;
/** A list of a thousand namespaces' ConfigMaps has 2 MB. */
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Asks the first of several API servers that answers.
 *
 * @param withinMs so long each of them may take
 */
export function openApi(places: readonly ApiPlace[], withinMs = WITHIN_MS): KubernetesApi {
  const ask = async (method: Question['method'], path: string, body?: string): Promise<{ status: number; text: string }> => {
    let last = 'no API server is known';
    for (const place of places) {
      try {
        return await send(place, withinMs, { method, path, body });
      } catch (error) {
        last = `${place.host}:${place.port}: ${messageOf(error)}`;
      }
    }
    throw new ApiRefused(`no API server answered ${method} ${path}: ${last}`);
  };
  return {
    get: async (path) => {
      const { status, text } = await ask('GET', path);
      if (status === 404) return undefined;
      if (status === 200) return jsonOf(text);
      throw new ApiRefused(`GET ${path} is answered ${status}: ${told(text)}`);
    },
    mergePatch: async (path, patch) => {
      const { status, text } = await ask('PATCH', path, JSON.stringify(patch));
      if (status === 409) return false;
      if (status === 200) return true;
      throw new ApiRefused(`PATCH ${path} is answered ${status}: ${told(text)}`);
    },
    post: async (path, body) => {
      const { status, text } = await ask('POST', path, JSON.stringify(body));
      if (status === 200 || status === 201) return jsonOf(text);
      throw new ApiRefused(`POST ${path} is answered ${status}`);
    },
  };
}

const told = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 300);

interface Question {
  readonly method: 'GET' | 'PATCH' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
}

/** As kubectl asks for raw paths: /openid/v1/jwks is of a kind of its own, and refused with 406 to who takes nothing else than this (pkg/routes/openidmetadata.go). */
const ACCEPT = 'application/json, */*';

function send({ host, port, ca, client }: ApiPlace, withinMs: number, { method, path, body }: Question) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const kind = method === 'POST' ? 'application/json' : 'application/merge-patch+json';
    const type = { 'Content-Type': kind, 'Content-Length': Buffer.byteLength(body ?? '') };
    const asked = request(
      {
        host,
        port,
        path,
        method,
        ca,
        ...client,
        agent: false,
        // Of the whole, and not between two bytes.
        signal: AbortSignal.timeout(withinMs),
        headers: { Accept: ACCEPT, ...(body !== undefined && type) },
      },
      (answer) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (part: Buffer) => {
          bytes += part.length;
          if (bytes > MOST_BYTES) asked.destroy(new Error(`the answer is larger than ${MOST_BYTES} bytes`));
          else parts.push(part);
        });
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }));
        answer.once('error', () => reject(new Error(`no answer within ${withinMs} ms, or one that was cut off`)));
      },
    );
    asked.once('error', (error) => reject(error.name === 'AbortError' ? new Error(`no answer within ${withinMs} ms`) : error));
    asked.end(body);
  });
}
