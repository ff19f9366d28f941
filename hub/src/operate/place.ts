/** Where a page of a list ended, as text: callers bring it back for the next page, and read nothing from it. */
import type { z } from 'zod';
import { Fault } from '../errors.ts';

export const placeText = (parts: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/** @throws Fault `request.invalid` */
export function placeOf<Schema extends z.ZodType>(given: string, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(Buffer.from(given, 'base64url').toString('utf8')));
  } catch {
    throw new Fault('request.invalid', `No page of this list ended at “${given}”.`);
  }
}
