import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Telemetry } from '../backup/edges';
import { CLUSTER_DIMENSION, METRIC_NAMESPACE } from '../contract/metrics';

export interface FunctionTelemetry extends Telemetry {
  /** Writes the metrics gathered in this run (embedded metric format); call once at its end, also after a failure. */
  flush(): void;
}

/** Structured logs with one event name each, and metrics that carry the cluster. */
export function openTelemetry(cluster: string, service: string): FunctionTelemetry {
  const logger = new Logger({ serviceName: service, persistentKeys: { cluster } });
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: service });
  // Powertools would add the service as a second dimension; alarms and dashboards ask by cluster alone.
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ [CLUSTER_DIMENSION]: cluster });
  return {
    log: (event, fields = {}) => logger.info(event, { ...fields }),
    warn: (event, fields = {}) => logger.warn(event, { ...fields }),
    count: (metric, value, unit) => metrics.addMetric(metric, unit, value),
    flush: () => metrics.publishStoredMetrics(),
  };
}
