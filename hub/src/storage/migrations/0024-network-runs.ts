/**
 * Memberships that are filled or copied within a network: what was asked for, what would happen site by site, and how
 * far it is. `wanted`: what the site was not told of yet. `worked`: how long it took so far, and how many pairs that were.
 */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table network_runs (
    id uuid primary key,
    installation uuid not null,
    network integer not null,
    main integer not null,
    spec jsonb not null,
    state text not null,
    starts boolean not null default false,
    driver text not null default 'hub',
    started_by text not null,
    at_ms bigint not null default ${NOW},
    started_ms bigint,
    ended_ms bigint,
    previewed_to integer default 0,
    preview jsonb not null default '[]',
    counts jsonb not null,
    next integer,
    worked_ms bigint not null default 0,
    worked_pairs bigint not null default 0,
    wanted text,
    wanted_by text,
    failures integer not null default 0,
    retry_at_ms bigint not null default 0,
    fault jsonb
  )`,
  `create index network_runs_newest on network_runs (installation, network, at_ms, id)`,
  `create index network_runs_at_work on network_runs (at_ms)
    where wanted is not null or state in ('previewing', 'running', 'undoing')`,
];
