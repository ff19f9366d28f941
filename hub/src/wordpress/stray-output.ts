/**
 * JSON that something on the site has printed around: a byte order mark in a plugin's file, a notice of PHP, a
 * cache's closing comment.
 *
 * Does not: repair JSON. What is around it is dropped, unread.
 * Always true: nothing is read out of a web page or a feed: what looks like an answer there may have been written by
 * anybody who may comment on it.
 */
import { endOfJson, parseBounded } from './bounded-json.ts';

/** A notice may quote code. After so many wrong beginnings there is no JSON in it. */
const MOST_TRIES = 20;
/** Each try may read the whole of it. */
const LONGEST_SPOILT = 16_000_000;

/** undefined: there is no JSON in the text, or more and deeper than any answer. */
export function parseJson(text: string): unknown {
  const whole = parseBounded(text);
  if (whole !== undefined || text.length > LONGEST_SPOILT) return whole;
  return parseInner(text);
}

/** The JSON object that ends with the last brace of the text. */
function parseInner(text: string): unknown {
  const last = text.lastIndexOf('}') + 1;
  let start = text.indexOf('{"');
  for (let tries = 0; start !== -1 && start < last && tries < MOST_TRIES; tries += 1) {
    const end = endOfJson(text, start);
    const inner = end === last ? parseBounded(text.slice(start, end)) : undefined;
    if (inner !== undefined) return isPage(text, start, last) ? undefined : inner;
    start = text.indexOf('{"', end === null || end === last ? start + 1 : end);
  }
  return undefined;
}

const PAGE = /<\/?(?:!doctype|html|head|body|rss|feed)\b|<\?xml/iu;

const isPage = (text: string, start: number, end: number): boolean =>
  PAGE.test(text.slice(0, start)) || PAGE.test(text.slice(end));
