// Names the sources of a bundle from the repository on, instead of from the folder that it was bundled in: the same sources then
// make the same asset, wherever they are synthesized, and no function is updated for nothing.
//   node portable-source-map.mjs <file.js.map> <repository>
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';

const [file, repository] = process.argv.slice(2);
const map = JSON.parse(readFileSync(file, 'utf8'));
map.sources = map.sources.map((source) =>
  relative(repository, resolve(dirname(file), source))
    .split(sep)
    .join('/'),
);
writeFileSync(file, JSON.stringify(map));
