/**
 * The first store: who is who, what is known of each account, what is on its way.
 *
 * Times are hub ms (bigint). `jsonb` columns: `known` and `stopped.fields` are key → [ms, site];
 * `deliveries.fields` is field → {v | z, s, p, held?}: `v` the value as JSON *text* (jsonb refuses
 * U+0000 and lone surrogates, one such value would block its whole batch), `z` the same sealed,
 * `s` the stamp, `p` the path.
 */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table hub_meta (
    one boolean primary key default true check (one),
    hub_id uuid not null,
    term integer not null check (term > 0),
    key_check text not null,
    started_host text,
    started_url text,
    created_at_ms bigint not null default ${NOW}
  )`,
  `create table tokens (
    name text primary key,
    role text not null,
    secret_hash text not null unique,
    created_at_ms bigint not null default ${NOW}
  )`,

  // ---- installations, sites, routes
  `create table installations (
    id uuid primary key,
    store text not null,
    home text not null,
    multisite boolean not null,
    rest_url text not null,
    contract integer not null,
    state text not null check (state in ('active', 'attention', 'removed')),
    trouble jsonb,
    failures integer not null default 0,
    retry_at_ms bigint not null default 0,
    epoch text,
    head bigint not null,
    offset_ms bigint not null,
    last_signal_ms bigint,
    last_pulled_ms bigint,
    credential text,
    signal_secret text
  )`,
  // Two addresses of one users table are one installation; a removed one may come again.
  `create unique index installations_store on installations (store) where state <> 'removed'`,
  // Keys stand in stamps for ever: a sequence never gives one twice, a rollback included.
  `create sequence site_keys as integer`,
  `create table sites (
    key integer primary key,
    installation uuid not null references installations,
    blog integer not null,
    name text not null,
    url text not null,
    rest_url text not null,
    status text not null check (status in ('active', 'paused')),
    create_missing boolean not null,
    roles jsonb not null,
    default_role text not null,
    removed boolean not null default false
  )`,
  `create unique index sites_name on sites (lower(name)) where not removed`,
  `create unique index sites_blog on sites (installation, blog) where not removed`,
  `create table routes (
    id integer generated always as identity primary key,
    source integer not null references sites,
    target integer not null references sites,
    status text not null check (status in ('active', 'paused')),
    rules jsonb not null,
    constraint routes_ends unique (source, target)
  )`,

  // ---- people
  `create table identities (
    uid uuid primary key,
    alias_of uuid references identities,
    created_at_ms bigint not null default ${NOW}
  )`,
  `create index identities_alias on identities (alias_of) where alias_of is not null`,
  `create table accounts (
    uid uuid not null references identities,
    installation uuid not null,
    wp_id bigint not null,
    login text not null,
    login_key text not null,
    email text not null,
    email_key text not null,
    registered text not null,
    privileged boolean not null,
    outgoing_stopped boolean not null,
    incoming_rejected boolean not null,
    labelled boolean not null,
    was_uid uuid,
    known jsonb not null,
    gone jsonb,
    alarm text,
    primary key (uid, installation)
  )`,
  // WordPress ids come again after a restore: unique among the living only.
  `create unique index accounts_living on accounts (installation, wp_id) where gone is null`,
  `create index accounts_email on accounts (email_key, installation)
     where gone is null and email_key <> ''`,
  `create index accounts_login on accounts (login_key, installation)
     where gone is null and login_key <> ''`,
  `create index accounts_unlabelled on accounts (installation, wp_id)
     where not labelled and gone is null and alarm is null`,
  `create table links (
    uid uuid not null references identities,
    installation uuid not null,
    wp_id bigint not null,
    by text not null check (by in ('email', 'login')),
    at_ms bigint not null default ${NOW},
    primary key (uid, installation, wp_id)
  )`,

  // ---- what travels
  // `installation` repeats what `target` says so that one index serves a claim in order.
  `create table deliveries (
    uid uuid not null references identities,
    target integer not null references sites,
    id text not null unique,
    installation uuid not null,
    lane text not null check (lane in ('people', 'bulk')),
    fields jsonb not null,
    birth jsonb,
    gone jsonb,
    held text,
    attempts integer not null,
    version integer not null,
    not_before_ms bigint not null,
    queued_at_ms bigint not null default ${NOW},
    lease_until_ms bigint,
    waits_email text,
    waits_login text,
    sendable boolean not null generated always as (
      held is null and (birth is not null or gone is not null
        or jsonb_path_exists(fields, '$.* ? (!exists(@.held))'))) stored,
    waiting boolean not null generated always as (
      held is not null or jsonb_path_exists(fields, '$.*.held')) stored,
    primary key (uid, target)
  )`,
  // A claim reads the front of this one: oldest first, held ones are not in it.
  `create index deliveries_due on deliveries (installation, lane, queued_at_ms, id) where sendable`,
  // "When is the next due": the few that wait for a time, and the few that are out on a lease.
  `create index deliveries_later on deliveries (installation, lane, not_before_ms)
     where sendable and not_before_ms > 0`,
  `create index deliveries_leased on deliveries (installation, lane, lease_until_ms)
     where sendable and lease_until_ms is not null`,
  `create index deliveries_waiting on deliveries (installation) where waiting`,
  `create index deliveries_deletes on deliveries (installation) where gone is not null`,
  `create index deliveries_target on deliveries (target)`,
  // What is released when an address or a login becomes free.
  `create index deliveries_email on deliveries (waits_email) where waits_email is not null`,
  `create index deliveries_login on deliveries (waits_login) where waits_login is not null`,
  `create table stopped (
    uid uuid not null references identities,
    target integer not null,
    fields jsonb not null,
    primary key (uid, target)
  )`,

  // ---- what was captured and what must be asked for
  `create table changes (
    installation uuid not null,
    row text not null,
    rev bigint not null,
    kind text not null,
    wp_id bigint,
    uid uuid,
    actor text,
    fields jsonb not null,
    at_ms bigint not null,
    captured_at_ms bigint not null default ${NOW},
    acknowledged_at_ms bigint,
    primary key (installation, row, rev)
  )`,
  `create index changes_unacknowledged on changes (installation, captured_at_ms)
     where acknowledged_at_ms is null`,
  `create index changes_old on changes (acknowledged_at_ms) where acknowledged_at_ms is not null`,
  `create table refreshes (
    installation uuid not null,
    wp_id bigint not null,
    queued_at_ms bigint not null default ${NOW},
    primary key (installation, wp_id)
  )`,
  `create table restamps (
    installation uuid not null,
    wp_id bigint not null,
    queued_at_ms bigint not null default ${NOW},
    primary key (installation, wp_id)
  )`,

  // ---- what is shown
  // `written_by`: ids become visible out of order; --follow stays behind what is still being written.
  `create table sync_log (
    id bigint generated always as identity primary key,
    at_ms bigint not null default ${NOW},
    written_by xid8 not null default pg_current_xact_id(),
    uid uuid not null,
    login text not null,
    login_key text not null,
    source integer,
    target integer not null,
    action text not null,
    status text not null,
    reason text,
    fields jsonb not null,
    path jsonb not null,
    actor text,
    delivery text,
    attempts integer not null,
    duration_ms bigint
  )`,
  `create index sync_log_at on sync_log (at_ms)`,
  `create index sync_log_status on sync_log (status, id)`,
  `create index sync_log_login on sync_log (login_key, id)`,
  `create index sync_log_target on sync_log (target, id)`,
  `create index sync_log_source on sync_log (source, id)`,
  // The daily cap of the deletion limit counts here.
  `create index sync_log_deletes on sync_log (target, at_ms)
     where action = 'delete' and status = 'delivered'`,
];
