/**
 * Manual syncs: the plan account by account, how far it was carried out, and what an undo needs.
 * `kept` is sealed (`run.kept:<run>`): the values before and after, taken out after their time.
 */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table sync_runs (
    id uuid primary key,
    state text not null,
    source integer not null,
    request jsonb not null,
    started_by text not null,
    at_ms bigint not null default ${NOW},
    started_ms bigint,
    paused_ms bigint,
    paused_for_ms bigint not null default 0,
    ended_ms bigint,
    read_to bigint,
    accounts integer not null default 0,
    starts boolean not null,
    removes_created boolean not null default false,
    undone_by text,
    fault jsonb
  )`,
  `create index sync_runs_newest on sync_runs (at_ms, id)`,
  `create table sync_steps (
    run uuid not null references sync_runs (id) on delete cascade,
    wp_id bigint not null,
    target integer not null,
    uid uuid not null,
    login text not null,
    what text not null,
    other text,
    proven boolean not null,
    fields jsonb not null,
    reason text,
    seen text not null,
    state text not null,
    note text,
    at_least_ms bigint not null,
    kept text,
    stamps jsonb,
    primary key (run, wp_id, target)
  )`,
  `create index sync_steps_to_do on sync_steps (run, state, wp_id, target)`,
];
