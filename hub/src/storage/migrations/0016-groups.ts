/**
 * Groups of sites, and a revision that is another one after every change of what is arranged: who keeps a
 * copy of the sites and routes asks whether that is the present one. It is random, so that no revision
 * comes again with other contents, after a restored backup neither. Its row is locked before any of the
 * rows are, so that all who change them come one after another.
 */
const TABLES = ['sites', 'routes', 'groups', 'group_members', 'group_exceptions'];

export const statements: readonly string[] = [
  `create table groups (
    id uuid primary key,
    name text not null,
    status text not null check (status in ('active', 'paused')),
    rules jsonb not null
  )`,
  `create unique index groups_name on groups (lower(name))`,
  `create table group_members (
    group_id uuid not null references groups on delete cascade,
    site integer not null references sites,
    way text not null check (way in ('both', 'gives', 'takes')),
    primary key (group_id, site)
  )`,
  `create index group_members_site on group_members (site)`,
  `create table group_exceptions (
    group_id uuid not null references groups on delete cascade,
    source integer not null references sites,
    target integer not null references sites,
    status text not null check (status in ('active', 'paused', 'none')),
    rules jsonb not null,
    primary key (group_id, source, target)
  )`,
  // Null: the route was set by itself.
  `alter table routes add column group_id uuid references groups`,
  `create index routes_group on routes (group_id) where group_id is not null`,
  `create table arranged (
    one boolean primary key default true check (one),
    revision uuid not null default gen_random_uuid()
  )`,
  `insert into arranged default values`,
  `create function rollcall_arranged() returns trigger language plpgsql as
    $$ begin update arranged set revision = gen_random_uuid(); return null; end $$`,
  ...TABLES.map(
    (table) => `create trigger ${table}_arranged before insert or update or delete or truncate
      on ${table} for each statement execute function rollcall_arranged()`,
  ),
];
