/**
 * Two sites compared: the report, its rows account by account, and which routes are compared by themselves.
 * `counts`: how many accounts were found how, and why. `next_ms`: when a route is compared again.
 */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table reconciles (
    id uuid primary key,
    source integer not null,
    target integer not null,
    state text not null,
    repair boolean not null,
    extra boolean not null,
    started_by text not null,
    at_ms bigint not null default ${NOW},
    ended_ms bigint,
    read_to bigint not null default 0,
    accounts integer not null default 0,
    total integer,
    counts jsonb not null default '[]',
    fault jsonb
  )`,
  `create index reconciles_newest on reconciles (at_ms, id)`,
  `create index reconciles_of_two on reconciles (source, target, at_ms)`,
  `create table reconcile_rows (
    reconcile uuid not null references reconciles (id) on delete cascade,
    side text not null,
    wp_id bigint not null,
    reason text not null,
    what text not null,
    uid uuid,
    login text not null,
    fields jsonb not null,
    state text not null,
    primary key (reconcile, side, wp_id, reason)
  )`,
  `create table reconcile_schedules (
    route integer primary key references routes (id) on delete cascade,
    every text not null,
    repair boolean not null,
    next_ms bigint not null default ${NOW}
  )`,
];
