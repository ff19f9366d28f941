/**
 * A person with a browser, as far as WordPress's classic pages need one: cookies and forms, no scripts.
 *
 * Does: keep cookies, read a form's fields with their present values, submit it with some changed.
 * Does not: follow redirects by itself (where a page leads is what tests ask), or heed cookie paths: the lab's
 *   sites have one host each.
 * On failure: throws when the page has no such form, with the page's status and beginning.
 */
import type { Site } from './site.ts';

export type Fields = Readonly<Record<string, string>>;

export class Visitor {
  readonly site: Site;
  readonly #cookies = new Map<string, string>();

  constructor(site: Site) {
    this.site = site;
  }

  /** As in a `Cookie` header. */
  get cookies(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#cookies.size > 0) headers.set('cookie', this.cookies);
    const response = await this.site.request(path, { ...init, headers });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** The fields of the form with this id, as the page fills them. */
  async form(path: string, id: string): Promise<Fields> {
    const response = await this.request(path);
    const page = await response.text();
    const fields = formFields(page, id);
    if (fields !== undefined) return fields;
    throw new Error(
      `${path} answers ${response.status} without form #${id}: ${page.slice(0, 500)}`,
    );
  }

  submit(path: string, fields: Fields): Promise<Response> {
    return this.request(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const separator = pair.indexOf('=');
    const name = pair.slice(0, separator);
    const expires = attributes.find((attribute) => /^\s*expires=/i.test(attribute))?.split('=')[1];
    if (expires !== undefined && Date.parse(expires) < Date.now()) this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(separator + 1));
  }
}

/** undefined when the page has no such form. */
export function formFields(page: string, id: string): Fields | undefined {
  const form = [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].find(
    ([, tag = '']) => attribute(tag, 'id') === id,
  )?.[2];
  if (form === undefined) return undefined;
  return Object.fromEntries([...inputs(form), ...textareas(form), ...selects(form)]);
}

function* inputs(form: string): Generator<[string, string]> {
  for (const [, tag = ''] of form.matchAll(/<input\b([^>]*)>/g)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type') ?? 'text';
    if (name === undefined || /^(submit|button|reset|image|file)$/.test(type)) continue;
    if (/^(checkbox|radio)$/.test(type) && !/\schecked\b/.test(tag)) continue;
    if (/\sdisabled\b/.test(tag)) continue;
    yield [name, attribute(tag, 'value') ?? (/^(checkbox|radio)$/.test(type) ? 'on' : '')];
  }
}

function* textareas(form: string): Generator<[string, string]> {
  for (const [, tag = '', text = ''] of form.matchAll(
    /<textarea\b([^>]*)>([\s\S]*?)<\/textarea>/g,
  )) {
    const name = attribute(tag, 'name');
    if (name !== undefined) yield [name, decode(text)];
  }
}

function* selects(form: string): Generator<[string, string]> {
  for (const [, tag = '', body = ''] of form.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
    const name = attribute(tag, 'name');
    const options = [...body.matchAll(/<option\b([^>]*)>([^<]*)/g)];
    const chosen = options.find(([, option = '']) => /\bselected\b/.test(option)) ?? options[0];
    if (name === undefined || chosen === undefined) continue;
    yield [name, attribute(chosen[1] ?? '', 'value') ?? decode((chosen[2] ?? '').trim())];
  }
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag);
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : decode(value);
}

function decode(text: string): string {
  const named: Fields = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text
    .replaceAll(/&#0*(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll(/&(amp|lt|gt|quot);/g, (whole, name: string) => named[name] ?? whole);
}
