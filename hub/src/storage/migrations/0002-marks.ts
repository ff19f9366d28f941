/**
 * Where hub and site stood together last. `marks` is {confirmed: mark | null, sent: mark[]}: the one
 * that the site is known to hold, and those of which it may hold one, in rising order.
 */
export const statements: readonly string[] = [`alter table installations add column marks jsonb`];
