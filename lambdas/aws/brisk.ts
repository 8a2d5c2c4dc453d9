/** Limits of an SDK client in runs that have seconds, not minutes: a route to AWS that is missing must show before the run's own end. */
export const BRISK = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000, throwOnRequestTimeout: true },
};
