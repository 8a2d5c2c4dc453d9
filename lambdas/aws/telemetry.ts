import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Telemetry } from '../backup/edges';
import { CLUSTER_DIMENSION, ENDPOINT_DIMENSION, METRIC_NAMESPACE } from '../contract/metrics';

export interface FunctionTelemetry extends Telemetry {
  /** Writes the metrics gathered in this run (embedded metric format); call once at its end, also after a failure. */
  flush(): void;
}

/** Structured logs with one event name each, and metrics that carry the cluster, or the cluster and one endpoint. */
export function openTelemetry(cluster: string, service: string): FunctionTelemetry {
  const logger = new Logger({ serviceName: service, persistentKeys: { cluster } });
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: service });
  withDimensions(metrics, { [CLUSTER_DIMENSION]: cluster });
  return {
    log: (event, fields = {}) => logger.info(event, { ...fields }),
    warn: (event, fields = {}) => logger.warn(event, { ...fields }),
    count: (metric, value, unit, endpoint) => {
      if (endpoint === undefined) metrics.addMetric(metric, unit, value);
      // A document of its own, written at once: dimensions hold for every metric beside them.
      else
        withDimensions(metrics.singleMetric(), { [CLUSTER_DIMENSION]: cluster, [ENDPOINT_DIMENSION]: endpoint }).addMetric(
          metric,
          unit,
          value,
        );
    },
    flush: () => {
      // Powertools warns of a run that has measured nothing.
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}

/** Just these: Powertools would add the service as one more, and alarms and dashboards ask by these alone. */
function withDimensions(metrics: Metrics, dimensions: Readonly<Record<string, string>>): Metrics {
  metrics.clearDefaultDimensions();
  metrics.setDefaultDimensions({ ...dimensions });
  return metrics;
}
