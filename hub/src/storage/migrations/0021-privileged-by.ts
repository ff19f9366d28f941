/** What makes an account privileged; null: nobody knows. And the privileged roles that a site lets come. */
export const statements: readonly string[] = [
  'alter table accounts add column privileged_by jsonb',
  `alter table sites add column consents jsonb not null default '[]'`,
];
