/** A name may have 32 KiB, of which every byte becomes six characters: a thousand messages of that would fill the memory. */
const MAX_QUOTED_CHARACTERS = 80;

/** A name of a damaged file for a message: in quotes, cut off, and with escapes for whatever a terminal would not print. */
export function quotedName(name: string): string {
  const shown = name.slice(0, MAX_QUOTED_CHARACTERS).replace(/[^ -~]|["\\]/g, escaped);
  return name.length > MAX_QUOTED_CHARACTERS ? `"${shown}"… (${name.length} bytes)` : `"${shown}"`;
}

const escaped = (character: string): string =>
  character === '"' || character === '\\' ? `\\${character}` : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
