/** What a site says of all that leaves it, and which roles its accounts have: only some may leave. */
export const statements: readonly string[] = [
  `alter table sites add column rules jsonb not null default '{}'`,
  `alter table accounts add column roles jsonb not null default '{}'`,
];
