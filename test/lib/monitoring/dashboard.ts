import type { Template } from 'aws-cdk-lib/assertions';
import { only } from '../synth';

export interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly markdown?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly unknown[])[];
    readonly annotations?: { readonly horizontal?: readonly { readonly value: number }[] };
  };
}

/** The widgets of the one dashboard; a reference is written as the id of its resource in angle brackets. */
export function dashboardOf(template: Template): Widget[] {
  const body = only(template, 'AWS::CloudWatch::Dashboard')[1].Properties.DashboardBody as {
    'Fn::Join': [string, (string | { Ref?: string; 'Fn::GetAtt'?: string[] })[]];
  };
  const text = body['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : `<${part.Ref ?? part['Fn::GetAtt']?.[0] ?? ''}>`));
  return (JSON.parse(text.join(body['Fn::Join'][0])) as { widgets: Widget[] }).widgets;
}

/** `["N", "M", "Cluster", "prod", {…}]` of a graph, in words. */
export function metricsOf({ properties }: Widget): { namespace: string; name: string; dimensions: Record<string, string> }[] {
  return (properties.metrics ?? []).map((metric) => {
    const [namespace = '', name = '', ...pairs] = metric.filter((part) => typeof part === 'string');
    const dimensions = Object.fromEntries(pairs.flatMap((key, index) => (index % 2 === 0 ? [[key, pairs[index + 1] ?? '']] : [])));
    return { namespace, name, dimensions };
  });
}
