/** New accounts that an installation brought at one moment, for the creation limit; kept for a day. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table creations (
    installation uuid not null,
    at_ms bigint not null default ${NOW},
    count bigint not null
  )`,
  `create index creations_lately on creations (installation, at_ms)`,
];
