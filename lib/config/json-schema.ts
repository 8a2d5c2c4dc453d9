import { z } from 'zod';
import { Lifeboat } from './schema';

/** The JSON Schema of the file as people write it, which editors complete and check from; rules between fields are not in it. */
export function jsonSchemaText(): string {
  return `${JSON.stringify({ title: 'lifeboat.json', ...z.toJSONSchema(Lifeboat, { io: 'input' }) }, null, 2)}\n`;
}
