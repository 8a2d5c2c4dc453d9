/** The host of a URL as sockets and certificates take it: an IPv6 address without its brackets. @throws TypeError for what is no URL */
export const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');
