/** What happened to an installation as a whole, and what people said about it; `actor` null: nobody. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table site_events (
    id bigint generated always as identity primary key,
    at_ms bigint not null default ${NOW},
    installation uuid not null,
    code text not null,
    message text not null,
    actor text
  )`,
  `create index site_events_of on site_events (installation, at_ms)`,
];
