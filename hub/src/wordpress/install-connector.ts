/**
 * Puts the connector on a site with a login that is used once: uploads, updates, activates it.
 *
 * Does: what a person does in wp-admin under Plugins → Add New → Upload; activates through REST.
 * Does not: replace a connector by an older one; touch any other plugin.
 * Always true: when it returns the connector is active, in this version or a newer one. Repeating it is safe.
 * On failure: throws `Fault` `site.install_refused`, saying what was in the way, or the wire's.
 */
import { Fault } from '../errors.ts';
import { isOlder } from '../model/connector-version.ts';
import { askCore, type CoreAnswer, textIn } from './core-rest.ts';
import { restHeaders, restRootOf, visit } from './session.ts';
import type { SignedIn } from './sign-in.ts';
import type { Answered, Wire } from './wire.ts';

export interface Zip {
  readonly bytes: Uint8Array;
  readonly version: string;
}

const PLUGIN = 'rollcall-connector/rollcall-connector';

export async function installConnector(wire: Wire, signedIn: SignedIn, zip: Zip): Promise<void> {
  const before = await pluginOn(wire, signedIn);
  if (before === null || isOlder(before.version, zip.version)) {
    await upload(wire, signedIn, zip);
    const after = await pluginOn(wire, signedIn);
    if (after === null) throw refused(signedIn, 'did not unpack the connector');
    if (isOlder(after.version, zip.version)) {
      throw refused(signedIn, 'did not replace the older connector');
    }
  }
  await activate(wire, signedIn);
}

interface Plugin {
  readonly version: string;
}

/** Null: it is not there. */
async function pluginOn(wire: Wire, signedIn: SignedIn): Promise<Plugin | null> {
  const { answer, content } = await askPlugin(wire, signedIn, 'GET');
  if (answer.status === 200) return { version: textIn(content, 'version') };
  if (answer.status === 404 && textIn(content, 'code') === 'rest_plugin_not_found') return null;
  throw mayNot(signedIn, answer);
}

/** On a network for all of its sites. */
async function activate(wire: Wire, signedIn: SignedIn): Promise<void> {
  for (const status of ['network-active', 'active']) {
    const { answer, content } = await askPlugin(wire, signedIn, 'POST', { status });
    if (/^(network-)?active$/u.test(textIn(content, 'status'))) return;
    if (status === 'active') throw mayNot(signedIn, answer, 'does not activate the connector');
  }
}

const askPlugin = (
  wire: Wire,
  { session, nonce }: SignedIn,
  method: 'GET' | 'POST',
  body?: { readonly status: string },
): Promise<CoreAnswer> =>
  askCore(wire, {
    restUrl: restRootOf(session),
    publicOnly: session.publicOnly,
    route: `wp/v2/plugins/${PLUGIN}`,
    method,
    headers: restHeaders(session, nonce),
    ...(body === undefined ? {} : { body }),
  });

async function upload(wire: Wire, signedIn: SignedIn, zip: Zip): Promise<void> {
  const { session } = signedIn;
  const { folder, nonce } = await uploadForm(wire, signedIn);
  const boundary = `rollcall-${Buffer.from(nonce).toString('hex')}-${zip.bytes.length}`;
  const answer = await visit(wire, session, `${folder}update.php?action=upload-plugin`, {
    type: `multipart/form-data; boundary=${boundary}`,
    body: multipart(boundary, nonce, zip),
  });
  // WordPress shows both versions and asks; it asks in other words where the new one is the older.
  const replace = /href=["']([^"']{0,500}overwrite=update-plugin[^"']{0,500})["']/u.exec(
    answer.text,
  )?.[1];
  if (replace === undefined) return;
  const there = new URL(unescaped(replace), `${session.wordpressUrl}${folder}`);
  await visit(wire, session, `${folder}update.php${there.search}`);
}

/** A network installs plugins in an administration of its own. */
async function uploadForm(
  wire: Wire,
  signedIn: SignedIn,
): Promise<{ readonly folder: string; readonly nonce: string }> {
  let page: Answered | null = null;
  for (const folder of ['wp-admin/', 'wp-admin/network/']) {
    page = await visit(wire, signedIn.session, `${folder}plugin-install.php?tab=upload`);
    const form =
      /<form\b[^>]{0,500}action=["'][^"']{0,500}update\.php\?action=upload-plugin["'][\s\S]{0,5000}?<\/form>/u;
    const nonce = /name=["']_wpnonce["'] value=["']([0-9a-f]{10})["']/u.exec(
      form.exec(page.text)?.[0] ?? '',
    )?.[1];
    if (nonce !== undefined) return { folder, nonce };
    if (page.status < 300 || page.status >= 400) break;
  }
  throw mayNot(signedIn, page, 'does not let plugins be uploaded');
}

function multipart(boundary: string, nonce: string, zip: Zip): Uint8Array {
  const part = (head: string): string => `--${boundary}\r\nContent-Disposition: form-data; ${head}`;
  const before = [
    `${part('name="_wpnonce"')}\r\n\r\n${nonce}\r\n`,
    `${part('name="install-plugin-submit"')}\r\n\r\nInstall Now\r\n`,
    `${part('name="pluginzip"; filename="rollcall-connector.zip"')}\r\n`,
    'Content-Type: application/zip\r\n\r\n',
  ].join('');
  return Buffer.concat([Buffer.from(before), zip.bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

const unescaped = (href: string): string => href.replaceAll(/&(?:amp|#0?38);/gu, '&');

function mayNot(signedIn: SignedIn, answer: Answered | null, what?: string): Fault {
  const isRefusal = answer?.status === 401 || answer?.status === 403;
  const why = isRefusal ? 'does not let this account manage plugins' : what;
  return refused(signedIn, why ?? 'does not tell which plugins it has', answer?.status);
}

function refused({ session }: SignedIn, what: string, status?: number): Fault {
  const { host } = new URL(session.wordpressUrl);
  return new Fault('site.install_refused', `${host} ${what}.`, {
    detail: { host, ...(status === undefined ? {} : { status }) },
  });
}
