/** A SHA-256 as people tell two apart: its first 16 digits. */
export const shortId = (id: string): string => `${id.slice(0, 16)}…`;

/** The same of a signer, who may be nobody that is known. */
export const shortSigner = (id: string | undefined): string => (id === undefined ? 'a stranger' : shortId(id));
