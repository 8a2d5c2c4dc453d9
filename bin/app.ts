// The CDK app: npx cdk synth -c config=lifeboat.json
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ConfigError } from '../lib/config/config-error';
import { loadConfig } from '../lib/config/load-config';
import { LifeboatStack } from '../lib/platform/lifeboat-stack';

const app = new App();
const path: unknown = app.node.tryGetContext('config');
try {
  const { clusters } = loadConfig(typeof path === 'string' ? path : 'lifeboat.json');
  for (const cluster of clusters) new LifeboatStack(app, cluster);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exit(1);
}
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
