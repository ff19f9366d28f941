/** What waits for a person is read page by page: a flood may have left a hundred thousand rows. */
export const statements: readonly string[] = [
  `create index deliveries_held on deliveries (queued_at_ms, id) where waiting`,
  `create index accounts_alarmed on accounts (login_key, wp_id, installation)
     where alarm is not null and gone is null`,
];
