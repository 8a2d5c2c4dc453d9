import { z } from 'zod';
import type { AccountsLook } from '../contract/exchange-looks';
import { jsonOf } from '../contract/json';
import type { KubernetesApi } from '../kubernetes/api-client';
import { allOf } from './look-at-cluster';

const JWKS = '/openid/v1/jwks';
/** It is there in every cluster, and may do nothing by itself. */
const TOKEN = '/api/v1/namespaces/kube-system/serviceaccounts/default/token';
const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews';
const LEGACY = '/api/v1/secrets?fieldSelector=type%3Dkubernetes.io%2Fservice-account-token';
/** The shortest that an API server gives (pkg/apis/authentication/validation). */
const TOKEN_SECONDS = 600;

const Keys = z.object({ keys: z.array(z.object({ kid: z.string() })) });
const TokenRequest = z.object({ status: z.object({ token: z.string() }) });
const TokenReview = z.object({ status: z.object({ authenticated: z.boolean().default(false) }).default({ authenticated: false }) });
const Legacy = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  data: z.object({ token: z.string().optional() }).default({}),
});

interface AskedApi {
  /** The node. */
  readonly place: string;
  /** This API server alone. */
  readonly api: KubernetesApi;
}

/** The key that a token names in its header; of the rest nothing is read. Undefined where it names none. */
export function kidOf(token: string): string | undefined {
  const [header = ''] = token.split('.', 1);
  const read = z.object({ kid: z.string() }).safeParse(jsonOf(Buffer.from(header, 'base64url').toString('utf8')));
  return read.success ? read.data.kid : undefined;
}

/**
 * By which keys each API server verifies and signs, whether each accepts what the others sign, and which tokens never end. Tokens that are asked for end
 * within ten minutes and go nowhere else than to the other API servers. Never throws: what did not answer is missing.
 */
export async function lookAtAccounts(asked: readonly AskedApi[]): Promise<AccountsLook> {
  const apiServers = await Promise.all(asked.map((each) => lookAtOne(each, asked)));
  const legacy = await firstOf(
    asked.map(
      ({ api }) =>
        () =>
          allOf(api, LEGACY, Legacy),
    ),
  );
  return {
    apiServers,
    ...(legacy && {
      legacy: legacy.map(({ metadata: { name, namespace, labels }, data }) => {
        const kid = data.token === undefined ? undefined : kidOf(Buffer.from(data.token, 'base64').toString('utf8'));
        const lastUsed = labels['kubernetes.io/legacy-token-last-used'];
        return { namespace, name, ...(kid !== undefined && { kid }), ...(lastUsed !== undefined && { lastUsed }) };
      }),
    }),
  };
}

async function lookAtOne({ place, api }: AskedApi, all: readonly AskedApi[]): Promise<AccountsLook['apiServers'][number]> {
  const [verifies, token] = await Promise.all([
    orNothing(async () => Keys.parse(await api.get(JWKS)).keys.map(({ kid }) => kid)),
    orNothing(async () => TokenRequest.parse(await api.post(TOKEN, tokenRequest)).status.token),
  ]);
  const signs = token === undefined ? undefined : kidOf(token);
  const acceptedBy = await Promise.all(
    all.map(async (other) => {
      const accepted = token === undefined ? undefined : await orNothing(() => reviewed(other.api, token));
      return { place: other.place, ...(accepted !== undefined && { accepted }) };
    }),
  );
  return { place, ...(verifies && { verifies }), ...(signs !== undefined && { signs }), acceptedBy };
}

const tokenRequest = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: TOKEN_SECONDS } };

async function reviewed(api: KubernetesApi, token: string): Promise<boolean> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  return TokenReview.parse(await api.post(REVIEW, review)).status.authenticated;
}

/** An error of these may quote what is secret, and what is missing keeps gates shut as well. */
async function orNothing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}

async function firstOf<T>(asks: readonly (() => Promise<T>)[]): Promise<T | undefined> {
  for (const ask of asks) {
    const found = await orNothing(ask);
    if (found !== undefined) return found;
  }
  return undefined;
}
