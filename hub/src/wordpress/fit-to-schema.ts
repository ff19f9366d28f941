/**
 * A site's JSON against the schema of the answer, within bounds.
 *
 * A schema goes through a list to its end and keeps each fault: a hundred thousand wrong entries take it seconds and
 * a gigabyte. So lists are looked at entry by entry before, up to the first wrong one.
 *
 * Always true: throws nothing; names the place that doesn't fit, never the value there.
 */
import { z } from 'zod';

export interface Fitted<T> {
  readonly value?: T;
  /** Where it doesn't fit. */
  readonly place: string;
}

export function fitToSchema<Schema extends z.ZodType>(
  schema: Schema,
  json: unknown,
): Fitted<z.output<Schema>> {
  try {
    const misplaced = misplacedInLists(schema, json);
    if (misplaced !== null) return { place: misplaced };
    const { data, error } = schema.safeParse(json);
    return error === undefined ? { value: data, place: '' } : { place: placeOf(error) };
  } catch (error) {
    // More faults in one entry than the schema can carry.
    if (error instanceof RangeError) return { place: '' };
    throw error;
  }
}

function misplacedInLists(schema: z.ZodType, json: unknown): string | null {
  if (!(schema instanceof z.ZodObject) || typeof json !== 'object' || json === null) return null;
  for (const [name, part] of Object.entries(schema.shape)) {
    const list: unknown = Reflect.get(json, name);
    if (!(part instanceof z.ZodArray) || !Array.isArray(list)) continue;
    for (const [place, entry] of list.entries()) {
      const { error } = z.safeParse(part.element, entry);
      if (error !== undefined) return `${name}.${place}.${placeOf(error)}`;
    }
  }
  return null;
}

const placeOf = (error: z.core.$ZodError): string =>
  error.issues[0]?.path.map(String).join('.') ?? '';
