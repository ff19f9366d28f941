/**
 * A site whose connector lies: over HTTP it keeps the contract like any other, until it is told what
 * to answer instead.
 *
 * Does: keep accounts as the fake site of the engine's tests does, which passes the contract's suite;
 * let a test put its own words in place of an answer, however wrong.
 * Does not: check who asks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { AccountState } from '#contract/account-state.ts';
import {
  AccountsRequestSchema,
  ApplyRequestSchema,
  type ChangeRow,
  ChangesRequestSchema,
  LabelsRequestSchema,
  SettingsRequestSchema,
} from '#contract/messages.ts';
import { installationId } from '../../model/ids.ts';
import type { Connection } from '../../sync/ports.ts';
import { FakeSite } from '../../sync/test/fake-site.ts';

/** What the hub asked, and what an honest site would have answered. */
type Lie = (honest: Answer, asked: Answer) => unknown;
export type Answer = Record<string, unknown>;

/** Sent as it is, not as JSON of it. */
export class Raw {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export interface Told extends ChangeRow {
  readonly account: AccountState;
}

export class LyingSite {
  readonly name: string;
  readonly site: FakeSite;
  readonly asked: string[] = [];
  url = '';
  private told = 0;
  private readonly lies = new Map<string, Lie>();
  private readonly server = createServer((request, response) => {
    void this.answer(request, response);
  });

  /** @param key the site key that the hub will give it */
  constructor(name: string, key: number) {
    this.name = name;
    this.site = new FakeSite({ key, name, now: Date.now });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a server that listens on TCP has one
    const { port } = this.server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** From now on this is what `route` answers; without a lie it is honest again. */
  lie(route: string, lie?: Lie): void {
    if (lie === undefined) this.lies.delete(route);
    else this.lies.set(route, lie);
  }

  /** These rows come with the next page, made from that account's own row. */
  tell(id: number, ...changes: readonly ((row: Told) => unknown)[]): void {
    for (const change of changes) {
      this.told += 1;
      const row = this.told.toString(16).padStart(16, 'e');
      const told: Told = JSON.parse(JSON.stringify({ ...this.site.readAsRow(id), row }));
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a lie need not be a row
      this.site.tellFirst.push(change(told) as ChangeRow);
    }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = /rollcall\/v1\/(\w+)/u.exec(request.url ?? '')?.[1];
    if (request.method === 'GET' || route === undefined) {
      response.setHeader('link', `<${this.url}/wp-json/>; rel="https://api.w.org/"`);
      return send(response, INDEX);
    }
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(Buffer.from(part));
    const asked: Answer = JSON.parse(Buffer.concat(parts).toString('utf8'));
    this.asked.push(route);
    const honest = await this.honest(route, asked);
    const lie = this.lies.get(route);
    return send(response, lie === undefined ? honest : lie(honest, asked));
  }

  /** As the fake site answers the port's own calls. */
  private async honest(route: string, asked: Answer): Promise<Answer> {
    const { site } = this;
    const { hub = STRANGER } = CallerSchema.parse(asked);
    const connection: Connection = {
      installation: installationId(''),
      restUrl: '',
      credential: { user: '', password: '' },
      publicOnly: false,
      hub,
    };
    switch (route) {
      case 'connect':
        return {
          credential: { user: 'hub', password: 'secret' },
          status: await this.status(connection),
        };
      case 'status':
        return this.status(connection);
      case 'changes':
        return { ...(await site.changes(connection, given(ChangesRequestSchema, asked))) };
      case 'accounts':
        return { ...(await site.accounts(connection, given(AccountsRequestSchema, asked))) };
      case 'labels':
        return { results: await site.labels(connection, LabelsRequestSchema.parse(asked).labels) };
      case 'apply': {
        const { dry_run: dryRun, ...request } = given(ApplyRequestSchema, asked);
        return { ...(await site.apply(connection, { ...request, dryRun })) };
      }
      case 'settings': {
        const { offset_ms: offsetMs, meta } = given(SettingsRequestSchema, asked);
        const offset = offsetMs === undefined ? {} : { offsetMs };
        await site.settings(connection, { ...offset, ...(meta === undefined ? {} : { meta }) });
        return { saved: true };
      }
      default:
        return { released: true };
    }
  }

  private async status(connection: Connection): Promise<Answer> {
    const { url, name } = this;
    // Who is no hub yet binds nothing.
    const site =
      connection.hub.id === STRANGER.id ? new FakeSite({ key: 1, name, now: Date.now }) : this.site;
    const roles = {
      subscriber: ROLE,
      contributor: ROLE,
      author: ROLE,
      customer: ROLE,
      administrator: ROLE,
    };
    const blog = {
      blog: 1,
      name,
      url,
      rest_url: `${url}/wp-json/`,
      roles,
      default_role: 'subscriber',
      grantable: Object.keys(roles),
      read_only: false,
    };
    return {
      ...(await site.status(connection)),
      sites: [blog],
      home: url.slice('http://'.length),
      store: `store-of-${name}`,
    };
  }
}

const CallerSchema = z.object({
  hub: z.object({ id: z.string(), term: z.number() }).optional(),
});

/** As it was asked; what is undefined in the schema's type is not there at all. */
function given<Schema extends z.ZodType>(schema: Schema, asked: Answer): Present<z.output<Schema>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON knows no undefined
  return schema.parse(asked) as Present<z.output<Schema>>;
}
type Present<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

const STRANGER = { id: '', term: 1 };
const ROLE = { name: 'A role', privileged: false };
const INDEX = {
  name: 'Lies',
  namespaces: ['rollcall/v1'],
  authentication: { 'application-passwords': {} },
};

function send(response: ServerResponse, answer: unknown): void {
  const text = answer instanceof Raw ? answer.text : JSON.stringify(answer);
  response
    .writeHead(200, { 'content-type': 'application/json', 'x-rollcall-contract': '2' })
    .end(text);
}
