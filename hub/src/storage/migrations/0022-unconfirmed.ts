/** Rows of the Sync Log in which an e-mail address goes by that its person has not confirmed. */
export const statements: readonly string[] = [
  'alter table sync_log add column unconfirmed boolean not null default false',
];
