/**
 * What WordPress itself says of an account.
 *
 * Always true: read in loaded WordPress on that site, not from the hub.
 */
import { z } from 'zod';
import type { Site } from '#lab/start-site.ts';

const AccountSchema = z.object({
  id: z.int().positive(),
  email: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  website: z.string(),
  phone: z.string(),
  about: z.string(),
  role: z.string(),
  /** Of the password. Never shown. */
  hash: z.string(),
});
export type Account = z.infer<typeof AccountSchema>;

/** Null: there is no such account. */
export async function accountOn(site: Site, login: string): Promise<Account | null> {
  const answer = await site.php(`$u = get_user_by( 'login', ${JSON.stringify(login)} );
    echo wp_json_encode( $u ? array( 'id' => $u->ID, 'email' => $u->user_email,
      'firstName' => $u->first_name, 'lastName' => $u->last_name, 'website' => $u->user_url,
      'phone' => (string) get_user_meta( $u->ID, 'phone', true ), 'about' => $u->description,
      'role' => implode( ', ', $u->roles ), 'hash' => $u->user_pass ) : null );`);
  return AccountSchema.nullable().parse(JSON.parse(answer));
}
