/** Erasures that sites told of, and what is asked of others for them. Nobody is named in them. */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table erasures (
    id uuid primary key,
    installation uuid not null,
    row text not null,
    wp_id bigint not null,
    login text not null,
    root uuid,
    settled boolean not null default false,
    at_ms bigint not null default ${NOW},
    unique (installation, row)
  )`,
  `create index erasures_root on erasures (root)`,
  `create table erasure_steps (
    id bigint generated always as identity primary key,
    root uuid not null,
    uid uuid not null,
    source integer not null,
    target integer not null,
    installation uuid not null,
    state text not null default 'waiting',
    reason text,
    released boolean not null default false,
    at_ms bigint not null default ${NOW},
    unique (root, installation)
  )`,
  `create index erasure_steps_at on erasure_steps (installation, state)`,
];
