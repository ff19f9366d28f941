/** Since when a site counts as ended: it may be listed again, and what came about since then has left by no route. */
export const statements: readonly string[] = [`alter table sites add column ended_at_ms bigint`];
