/**
 * JSON from a site, no more of it than an answer may have. How much there is, is counted before it is built: millions
 * of empty objects pack into some kilobytes, and would fill the hub's memory.
 *
 * Does: say how far a JSON text goes; parse it.
 * Always true: as much work as the text is long, no recursion.
 */

/** undefined: it is no JSON object or list, or has more in it than any answer. */
export function parseBounded(text: string): unknown {
  const start = text.search(/\S/u);
  const end = start === -1 ? null : endOfJson(text, start);
  if (end === null || text.slice(end).trim() !== '') return undefined;
  try {
    return JSON.parse(text.slice(start, end));
  } catch {
    return undefined;
  }
}

/** The connector opens no deeper request; a deeper answer is not its own. */
const MOST_DEPTH = 64;
/** 500 accounts with a thousand fields each have 2.5 million. */
const MOST_PARTS = 4_000_000;
/** In one entry of an answer's list, which a schema looks at as a whole. */
const MOST_PARTS_OF_ONE = 500_000;
/** Of one list or object: sites of a network, accounts of a page. */
const MOST_ENTRIES = 50_000;

/** An answer, its list: what is deeper belongs to one entry. */
const LIST_DEPTH = 2;

/** Behind the last character of what begins with a bracket at `start`; null: no end, or too much. */
export function endOfJson(text: string, start: number): number | null {
  const entries: number[] = [];
  let parts = 0;
  let partsOfOne = 0;
  if (KINDS[text.charCodeAt(start)] !== 'open') return null;
  for (let at = start; at < text.length; at += 1) {
    const kind = KINDS[text.charCodeAt(at)];
    if (kind === undefined) continue;
    if (kind === 'quote') {
      at = endOfString(text, at);
      if (at === -1) return null;
      continue;
    }
    if (kind === 'close') {
      entries.pop();
      if (entries.length === 0) return at + 1;
      continue;
    }
    if (kind === 'open' && entries.push(0) > MOST_DEPTH) return null;
    const own = (entries.at(-1) ?? 0) + 1;
    entries[entries.length - 1] = own;
    parts += 1;
    partsOfOne = entries.length > LIST_DEPTH ? partsOfOne + 1 : 0;
    if (own > MOST_ENTRIES || parts > MOST_PARTS || partsOfOne > MOST_PARTS_OF_ONE) return null;
  }
  return null;
}

type Kind = 'quote' | 'open' | 'close' | 'comma';
const KINDS: readonly (Kind | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (character === '"') return 'quote';
  if (character === ',') return 'comma';
  if (character === '{' || character === '[') return 'open';
  return character === '}' || character === ']' ? 'close' : undefined;
});

/** -1: it has no end. */
function endOfString(text: string, quote: number): number {
  for (let end = text.indexOf('"', quote + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charAt(end - 1 - slashes) === '\\') slashes += 1;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}
