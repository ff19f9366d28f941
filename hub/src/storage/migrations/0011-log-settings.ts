/**
 * How long the Sync Log is kept, for the whole hub and for single sites (`log_days` null: as the hub
 * says), whether a site has one at all, and an index for each way in which people search it.
 */
export const statements: readonly string[] = [
  `alter table hub_meta add column log_days integer not null default 30 check (log_days > 0)`,
  `alter table sites add column log_on boolean not null default true`,
  `alter table sites add column log_days integer check (log_days > 0)`,
  `create index sync_log_uid on sync_log (uid, id)`,
  `create index sync_log_action on sync_log (action, id)`,
  // Most rows tell of what went well.
  `create index sync_log_reason on sync_log (reason, id) where reason is not null`,
];
