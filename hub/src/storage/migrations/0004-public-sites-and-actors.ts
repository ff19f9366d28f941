/** Whether a site was connected at a public address, and who made the change that travels. */
export const statements: readonly string[] = [
  // Those connected before may be anywhere; connecting them again settles it.
  'alter table installations add column public_only boolean not null default false',
  'alter table deliveries add column actor text',
];
