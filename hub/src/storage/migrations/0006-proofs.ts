/**
 * Proofs of links. `pair`: both accounts, whichever was named first. `ended`: `proven` or a reason
 * code; null while it is open. `verifier` is sealed (`proof.verifier:<half>`), and goes when the proof ends.
 */
const NOW = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

export const statements: readonly string[] = [
  `create table proofs (
    id uuid primary key,
    kind text not null,
    pair text not null,
    started_by text not null,
    at_ms bigint not null default ${NOW},
    ends_ms bigint not null,
    salt text,
    ended text
  )`,
  `create unique index proofs_open on proofs (pair, kind) where ended is null`,
  `create table proof_halves (
    half uuid primary key,
    proof uuid not null references proofs (id) on delete cascade,
    side integer not null,
    installation uuid not null,
    site integer not null,
    wp_id bigint not null,
    login text not null,
    registered text not null,
    asked boolean not null default false,
    confirmed_ms bigint,
    verifier text,
    forgotten boolean not null default false,
    unique (proof, side)
  )`,
  `create index proof_halves_there on proof_halves (installation) where not forgotten`,
];
