/**
 * An administrator's login for a site, for as long as something is done with it.
 *
 * Does: find the site; with a name and password sign in there, install the connector where that is wanted, and make an
 * Application Password.
 * Always true: what was obtained with a name and password has ended when this returns or throws. Nothing is kept.
 */
import type { AddSite } from '../api/schemas/site.ts';
import type { Door, OperationPorts } from './ports.ts';

/** @param use `made`: the Application Password was made for this */
export async function throughDoor<Result>(
  { introductions }: Pick<OperationPorts, 'introductions'>,
  { url, user, appPassword, password, install }: AddSite,
  use: (door: Door, made: boolean) => Promise<Result>,
): Promise<Result> {
  if (password === undefined) {
    const found = await introductions.discover(url);
    const administrator = { user, password: (appPassword ?? '').replaceAll(' ', '') };
    return use({ ...found, administrator }, false);
  }
  const login = await introductions.signIn(url, { user, password });
  try {
    if (install === true) await login.installConnector();
    const found = await introductions.discover(url);
    return await use({ ...found, administrator: await login.makePassword() }, true);
  } finally {
    await login.end();
  }
}
