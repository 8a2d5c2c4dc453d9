// The node documents alone.
import { App, Stack } from 'aws-cdk-lib';
import { NodeDocuments } from '../../../../lib/nodes/node-documents';

new NodeDocuments(new Stack(new App(), 'Nodes'), 'Documents', { clusterName: 'demo' });
