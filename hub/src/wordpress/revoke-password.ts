/**
 * Ends an Application Password that Rollcall itself obtained and does not need any longer.
 *
 * Does: ask WordPress which one it is that signs in, and delete that one.
 * Always true: no other Application Password of the account is touched; repeating it is safe.
 * On failure: false: it could not be told to end (the site is away, or it has ended already).
 */
import { Fault } from '../errors.ts';
import type { Door } from './connect.ts';
import { askCore, textIn } from './core-rest.ts';
import type { Wire } from './wire.ts';

export async function revokePassword(
  wire: Wire,
  { restUrl, publicOnly, administrator }: Door,
): Promise<boolean> {
  const { user, password } = administrator;
  const basic = Buffer.from(`${user}:${password}`, 'utf8').toString('base64');
  const headers = { authorization: `Basic ${basic}` };
  const call = { restUrl, publicOnly, headers };
  const mine = 'wp/v2/users/me/application-passwords';
  try {
    const found = await askCore(wire, { ...call, method: 'GET', route: `${mine}/introspect` });
    const uuid = textIn(found.content, 'uuid');
    if (!/^[0-9a-f-]{36}$/iu.test(uuid)) return false;
    const { answer } = await askCore(wire, { ...call, method: 'DELETE', route: `${mine}/${uuid}` });
    return answer.status === 200;
  } catch (fault) {
    if (fault instanceof Fault) return false;
    throw fault;
  }
}
