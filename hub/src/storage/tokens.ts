/**
 * Tokens of people and scripts for the HTTP API.
 *
 * Always true: a secret is shown once and stored as its SHA-256; 32 random bytes need no slow
 * hash. Looking one up compares hashes, so timing says nothing of the secret.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Database } from './open-database.ts';

export interface TokenView {
  readonly name: string;
  readonly role: string;
  readonly createdAtMs: number;
}

export interface Tokens {
  /** The secret, this once. A token of this name that was there is replaced. */
  createToken(name: string, role: string): Promise<string>;
  /** Whose token it is; null: nobody's. */
  verifyToken(secret: string): Promise<{ readonly name: string; readonly role: string } | null>;
  /** Ends a token; false: there was none. */
  revokeToken(name: string): Promise<boolean>;
  tokens(): Promise<readonly TokenView[]>;
}

/** Makes a token recognisable in a log or a repository that it was leaked to. */
const PREFIX = 'rollcall_';

export const createTokens = ({ kysely }: Database): Tokens => ({
  async createToken(name, role) {
    const secret = `${PREFIX}${randomBytes(32).toString('base64url')}`;
    const row = { role, secret_hash: hashOf(secret) };
    await kysely
      .insertInto('tokens')
      .values({ name, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute();
    return secret;
  },
  async verifyToken(secret) {
    const row = await kysely
      .selectFrom('tokens')
      .select(['name', 'role'])
      .where('secret_hash', '=', hashOf(secret))
      .executeTakeFirst();
    return row ?? null;
  },
  async revokeToken(name) {
    const { numDeletedRows } = await kysely
      .deleteFrom('tokens')
      .where('name', '=', name)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  },
  async tokens() {
    const rows = await kysely
      .selectFrom('tokens')
      .select(['name', 'role', 'created_at_ms'])
      .orderBy('name')
      .execute();
    return rows.map(({ name, role, created_at_ms: createdAtMs }) => ({ name, role, createdAtMs }));
  },
});

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
