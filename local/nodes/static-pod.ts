import { parse } from 'yaml';
import { z } from 'zod';

/** What a kubelet does with a static pod of one container. */
export interface StaticPod {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly graceSeconds: number;
}

const Pod = z.object({
  kind: z.literal('Pod'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    containers: z.tuple([z.object({ command: z.tuple([z.string()], z.string()) })]),
    terminationGracePeriodSeconds: z.number().default(30),
  }),
});

/** Reads a manifest; undefined for a file that is not, or not yet wholly, one: a kubelet leaves it alone. */
export function readStaticPod(text: string): StaticPod | undefined {
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    return undefined;
  }
  const pod = Pod.safeParse(content);
  if (!pod.success) return undefined;
  const { metadata, spec } = pod.data;
  return { name: metadata.name, command: spec.containers[0].command, graceSeconds: spec.terminationGracePeriodSeconds };
}
