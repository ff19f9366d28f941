/**
 * Makes text from elsewhere safe to show: names, logins and messages come from sites, and a
 * terminal obeys control characters (colours, cursor, title, clipboard) wherever they come from.
 */

/**
 * C0, DEL, C1, line separators, the marks that turn the direction of writing, and what is there
 * without being seen (zero-width spaces, tags). Joiners stay: scripts and emoji need them.
 */
const CONTROL =
  /[\p{Cc}\u2028\u2029\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;
/** SGR: colours and weights, as picocolors writes them. */
const OWN_COLOUR = '\u001B\\[\\d{1,3}(?:;\\d{1,3}){0,4}m';
const PASSES = new RegExp(`(${OWN_COLOUR}|\\r?\\n)`, 'u');

/** UTF-16 unit by unit, as JSON writes them. */
const asEscape = (found: string): string =>
  found
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** One line, no control character of any kind. For every value that is put into a text. */
export const visible = (text: string): string => text.replace(CONTROL, asEscape);

/** Last gate before the terminal: line breaks and our colours pass, nothing else does. */
export const onlyOurs = (text: string): string =>
  text
    .split(PASSES)
    .map((part, index) => (index % 2 === 1 ? part : visible(part)))
    .join('');

/** JSON text stays the same value, but shows no control character either. */
export const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replace(CONTROL, asEscape);
