// Lints texts as if they were files of the project: [{ file, text }, …] on stdin, [[{ rule, message }, …], …] on stdout.
// A process of its own, since eslint.config.mjs is an ES module and jest runs CommonJS.
import { text as textOf } from 'node:stream/consumers';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

// The files do not exist, so there are no types to ask for; no boundary rule needs any.
const eslint = new ESLint({ overrideConfig: [{ files: ['**/*.ts'], ...tseslint.configs.disableTypeChecked }] });
const cases = JSON.parse(await textOf(process.stdin));
const found = [];
for (const { file, text } of cases) {
  const [result] = await eslint.lintText(text, { filePath: file, warnIgnored: true });
  found.push(result.messages.map(({ ruleId, message }) => ({ rule: ruleId, message })));
}
process.stdout.write(JSON.stringify(found));
