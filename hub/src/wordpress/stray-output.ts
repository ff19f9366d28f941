/**
 * JSON that something on the site has printed around: a byte order mark in a plugin's file, a notice of PHP, a
 * cache's closing comment.
 *
 * Does not: repair JSON. What is around it is dropped, unread.
 */

/** A notice may quote code. After so many wrong beginnings there is no JSON in it. */
const MOST_TRIES = 20;

/** undefined: there is no JSON object in the text, or one nested deeper than what reads it could follow. */
export function parseJson(text: string): unknown {
  const whole = tryParse(text);
  if (whole !== undefined) return whole;
  const end = text.lastIndexOf('}') + 1;
  let start = text.indexOf('{"');
  for (let tries = 0; start !== -1 && start < end && tries < MOST_TRIES; tries += 1) {
    const inner = tryParse(text.slice(start, end));
    if (inner !== undefined) return inner;
    start = text.indexOf('{"', start + 1);
  }
  return undefined;
}

function tryParse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isDeeper(value, MOST_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** The connector opens no deeper request; a deeper answer is not its own. */
const MOST_DEPTH = 64;

/** Level by level, since a recursion is what such a value is meant to break. */
function isDeeper(value: unknown, most: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap(partsOf);
  }
  return false;
}

const partsOf = (value: unknown): unknown[] =>
  typeof value === 'object' && value !== null
    ? Object.values(value).filter((part) => typeof part === 'object' && part !== null)
    : [];
