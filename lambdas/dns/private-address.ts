import { isValid, parse } from 'ipaddr.js';

/** Ranges that nobody reaches from the internet (IANA special-purpose registries). */
const REACHED_FROM_ANYWHERE = 'unicast';

/** Whether only somebody in the same network reaches an address. Of a name nobody can tell: it is taken for one that anybody reaches. */
export const isPrivate = (host: string): boolean => isValid(host) && parse(host).range() !== REACHED_FROM_ANYWHERE;
