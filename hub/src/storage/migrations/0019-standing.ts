/** What an account must have before it leaves along a route, as its site told it last; null: never. */
export const statements: readonly string[] = [`alter table accounts add column standing jsonb`];
