// A document carries only what it can reach of the library: every one of them is part of the template, which has a limit of 1 MB.

const MULTI_LINE = /^(\w+)\(\) \{$/;
const ONE_LINE = /^(\w+)\(\) \{.*\}$/;

interface Part {
  /** undefined for a statement of the top level, which always stays. */
  readonly name: string | undefined;
  readonly lines: readonly string[];
}

/** The functions of a script and what lies between them. A function begins and ends at the margin, as shfmt writes it; what it has inside itself stays in it. */
function partsOf(lines: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const begins = MULTI_LINE.exec(line)?.[1];
    if (begins === undefined) {
      parts.push({ name: ONE_LINE.exec(line)?.[1], lines: [line] });
      continue;
    }
    const end = lines.indexOf('}', at);
    if (end < 0) throw new Error(`function ${begins} has no line with "}" alone: write one where it ends`);
    parts.push({ name: begins, lines: lines.slice(at, end + 1) });
    at = end;
  }
  return parts;
}

/**
 * A script without the functions that nothing in it can call.
 *
 * Every word counts as a call, wherever it stands: in a trap, as an argument of `wait_for`, in a string. So a function may stay that nothing
 * calls, and none goes that something does, as long as no name is put together of pieces.
 */
export function withoutUnreachable(lines: readonly string[]): string[] {
  const parts = partsOf(lines);
  const functions = new Map<string, Part[]>();
  for (const part of parts) if (part.name !== undefined) functions.set(part.name, [...(functions.get(part.name) ?? []), part]);
  const reached = new Set<string>();
  const read = (part: Part) => {
    for (const [word] of part.lines.join('\n').matchAll(/\w+/g)) {
      if (reached.has(word) || !functions.has(word)) continue;
      reached.add(word);
      functions.get(word)?.forEach(read);
    }
  };
  parts.filter(({ name }) => name === undefined).forEach(read);
  return parts.filter(({ name }) => name === undefined || reached.has(name)).flatMap((part) => part.lines);
}
