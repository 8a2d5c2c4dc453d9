// Where a text stops being JSON. JSON.parse of many Node versions gives no position, and takes the last of two equal keys in silence.

export interface JsonMistake {
  /** Counted from 1, in UTF-16 units as editors do. */
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}

class Stop extends Error {
  constructor(
    readonly at: number,
    readonly problem: string,
  ) {
    super(problem);
  }
}

const SPACE = /[ \t\r\n]*/y;
// eslint reads a control character in a pattern as a slip, so the class is written the other way round: everything from the blank on.
const STRING = /"(?:[\u0020\u0021\u0023-\u005b\u005d-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y;

/** The first mistake of a text that should be JSON (RFC 8259) without equal keys in one object; undefined when it is. */
export function findJsonMistake(text: string): JsonMistake | undefined {
  try {
    const end = skipSpace(text, valueEnd(text, skipSpace(text, 0)));
    if (end < text.length) throw new Stop(end, `${here(text, end)} after the end of the config; remove it`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = text.slice(0, error.at).split('\n');
    return { line: before.length, column: (before.at(-1) ?? '').length + 1, problem: error.problem };
  }
}

function valueEnd(text: string, at: number): number {
  if (text[at] === '{') return objectEnd(text, at);
  if (text[at] === '[') return listEnd(text, at);
  const end = match(STRING, text, at) ?? match(SCALAR, text, at);
  if (end === undefined) throw new Stop(at, `${here(text, at)} where a value should be${hint(text, at)}`);
  return end;
}

function objectEnd(text: string, start: number): number {
  const keys = new Set<string>();
  return itemsEnd(text, start, '}', (at) => {
    const keyEnd = match(STRING, text, at);
    if (keyEnd === undefined) throw new Stop(at, `${here(text, at)} where a key in double quotes should be${hint(text, at)}`);
    const key = String(JSON.parse(text.slice(at, keyEnd)));
    if (keys.has(key)) throw new Stop(at, `${JSON.stringify(key)} is here for the second time in one object; remove one`);
    keys.add(key);
    const colon = skipSpace(text, keyEnd);
    if (text[colon] !== ':') throw new Stop(colon, `${here(text, colon)} where the : after ${JSON.stringify(key)} should be`);
    return valueEnd(text, skipSpace(text, colon + 1));
  });
}

const listEnd = (text: string, start: number): number => itemsEnd(text, start, ']', (at) => valueEnd(text, at));

function itemsEnd(text: string, start: number, close: string, itemEnd: (at: number) => number): number {
  let at = skipSpace(text, start + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    at = skipSpace(text, itemEnd(at));
    if (text[at] === close) return at + 1;
    if (text[at] !== ',') throw new Stop(at, `${here(text, at)} where , or ${close} should be`);
    const comma = at;
    at = skipSpace(text, at + 1);
    if (text[at] === close) throw new Stop(comma, `a comma before ${close}; remove it`);
  }
}

/** Skips white space, and stops at a comment, which is what people put there. */
function skipSpace(text: string, from: number): number {
  const at = match(SPACE, text, from) ?? from;
  if (text.startsWith('//', at) || text.startsWith('/*', at) || text[at] === '#') {
    throw new Stop(at, 'a comment, which plain JSON does not have; remove it');
  }
  return at;
}

const hint = (text: string, at: number): string => (text[at] === "'" ? '; use double quotes' : '');
const here = (text: string, at: number): string => (at >= text.length ? 'the file ends' : `${JSON.stringify(text[at])} stands`);

function match(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
