/**
 * Where WordPress's approve page leads a browser back to.
 *
 * Does: take what stands in the address, once, and send the browser on to an address with nothing in it.
 * Does not: repeat anything that it was sent, or need a token: the secret in the address is the attempt's own.
 * Always true: the address is left at once, kept by no cache, told to nobody as a referrer, and never logged.
 */
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Api } from '../api-instance.ts';
import type { Operations } from '../operations.ts';

/** WordPress adds `site_url` as well. What came is not described when it does not fit. */
const QuerySchema = z.object({
  state: z.string().max(200).catch(''),
  user_login: z.string().max(200).catch(''),
  password: z.string().max(200).catch(''),
});

const PAGES = {
  done: [
    'Approved',
    'Rollcall has what it needs and is connecting the site. Where you started, it tells when that is done. You can close this page.',
  ],
  refused: ['Not approved', 'Nothing was connected, and nothing is kept. You can close this page.'],
  ended: [
    'This approval has ended',
    'It was used already, or it took too long. Start again where you started. An Application Password named “Rollcall” in your profile that was made just now is of no use to anybody: revoke it there.',
  ],
} as const;
type Page = keyof typeof PAGES;

/** Guessing is hopeless anyway; this keeps it cheap. */
const LIMIT = { max: 60, timeWindow: '1 minute' };

export function connectPages(api: Api, operations: Operations): void {
  const from = (came: (query: z.output<typeof QuerySchema>) => Promise<Page>) => ({
    method: 'GET' as const,
    // What only looks at an address must not use the secret up.
    exposeHeadRoute: false,
    config: { access: 'nobody' as const, rateLimit: LIMIT },
    schema: { hide: true, querystring: QuerySchema },
    handler: async (
      { query }: { readonly query: z.output<typeof QuerySchema> },
      reply: FastifyReply,
    ) => leave(reply, await came(query)),
  });
  api.route({
    url: '/connect/approved',
    ...from(async ({ state, user_login: user, password }) => {
      if (state === '' || user === '' || password === '') return 'ended';
      return (await operations.approvalCame(state, { user, password })) ? 'done' : 'ended';
    }),
  });
  api.route({
    url: '/connect/rejected',
    ...from(async ({ state }) =>
      state !== '' && (await operations.approvalRejected(state)) ? 'refused' : 'ended',
    ),
  });
  for (const page of Object.keys(PAGES).filter(isPage)) {
    const hidden = { schema: { hide: true }, config: { access: 'nobody' as const } };
    api.get(`/connect/${page}`, hidden, async (_, reply) => html(reply, page));
  }
}

const isPage = (name: string): name is Page => Object.hasOwn(PAGES, name);

/** Relative: the hub may stand below a folder of its public address. */
const leave = (reply: FastifyReply, page: Page): FastifyReply =>
  quietly(reply).status(303).header('location', page).send('');

const html = (reply: FastifyReply, page: Page): FastifyReply => {
  const [title, text] = PAGES[page];
  return quietly(reply)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Rollcall</title><main style="font:1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:4rem auto;padding:0 1rem"><h1>${title}</h1><p>${text}</p></main></html>`,
    );
};

const quietly = (reply: FastifyReply): FastifyReply =>
  reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
