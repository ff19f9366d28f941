/**
 * Attempts to connect a site by WordPress's approve page; of their secrets the hashes. What runs on an
 * installation, as it said when it was asked last.
 */
export const statements: readonly string[] = [
  `create table approvals (
    id uuid primary key,
    secret_hash text not null unique,
    url text not null,
    name text not null,
    rest_url text not null,
    public_only boolean not null,
    operator text not null,
    ends_ms bigint not null,
    state text not null check (state in ('open', 'connecting', 'connected', 'rejected', 'failed')),
    fault jsonb
  )`,
  `alter table installations add column connector text`,
  `alter table installations add column wordpress text`,
];
