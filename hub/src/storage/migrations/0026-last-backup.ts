/** When a backup of the hub was last given out whole; null: never. */
export const statements: readonly string[] = [
  'alter table hub_meta add column last_backup_ms bigint',
];
