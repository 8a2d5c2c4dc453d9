// Writes the JSON Schema beside the schema that it is made from: npm run schema.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemaText } from './json-schema';

writeFileSync(join(__dirname, 'lifeboat.schema.json'), jsonSchemaText());
