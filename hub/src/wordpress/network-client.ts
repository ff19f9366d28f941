/**
 * The port to the networks of connected installations, over HTTP.
 *
 * Always true: a page goes forward, and an answer is about the run and the network that was asked for.
 * On failure: throws `Fault` (`site.*`, `network.*`).
 */
import { z } from 'zod';
import {
  NetworkPreviewAnswerSchema,
  NetworkRowsAnswerSchema,
  type NetworkRun,
  NetworkRunAnswerSchema,
  NetworkRunsAnswerSchema,
  NetworkSettingsAnswerSchema,
  NetworkShowAnswerSchema,
} from '#contract/network-messages.ts';
import { Fault } from '../errors.ts';
import type { NetworkPort } from '../sync/network-port.ts';
import type { AskSite } from './ask-site.ts';

export function networkClient(askSite: AskSite): NetworkPort {
  const ask = withItsReason(askSite);
  return {
    async show(connection, network) {
      const asked = network === null ? {} : { network };
      return (await ask(connection, 'network/show', asked, NetworkShowAnswerSchema)).networks;
    },
    async settings(connection, change) {
      const answer = await ask(
        connection,
        'network/settings',
        { ...change },
        NetworkSettingsAnswerSchema,
      );
      return answer.settings;
    },
    async preview(connection, asked) {
      const { sites, after } = await ask(
        connection,
        'network/preview',
        asked,
        NetworkPreviewAnswerSchema,
      );
      let last = asked.after;
      for (const { blog } of sites) {
        if (blog <= last) throw outOfOrder(blog);
        last = blog;
      }
      if (after !== null && (after < last || after <= asked.after)) throw outOfOrder(after);
      return { sites, after };
    },
    async begin(connection, run) {
      const answer = await ask(connection, 'network/begin', run, NetworkRunAnswerSchema);
      return theRun(answer.run, run.id);
    },
    async page(connection, run, blog) {
      const answer = await ask(connection, 'network/page', { run, blog }, NetworkRunAnswerSchema);
      return theRun(answer.run, run);
    },
    async control(connection, run, order) {
      const asked = { run, do: order };
      const answer = await ask(connection, 'network/control', asked, NetworkRunAnswerSchema);
      return theRun(answer.run, run);
    },
    async runs(connection, asked) {
      const { runs } = await ask(connection, 'network/runs', asked, NetworkRunsAnswerSchema);
      if (runs.length > asked.limit) throw tooMany('runs', runs.length, asked.limit);
      return runs;
    },
    async rows(connection, asked) {
      const page = await ask(connection, 'network/rows', asked, NetworkRowsAnswerSchema);
      if (page.rows.length > asked.limit) throw tooMany('rows', page.rows.length, asked.limit);
      if (page.after !== null && (page.rows.length === 0 || page.after === asked.after))
        throw new Fault('site.bad_answer', 'The site’s list of a run has no end.');
      return page;
    },
  };
}

function theRun(run: NetworkRun, asked: string): NetworkRun {
  if (run.id.toLowerCase() === asked.toLowerCase()) return run;
  throw new Fault('site.bad_answer', 'The site answered with another run than was asked for.');
}

const outOfOrder = (place: number): Fault =>
  new Fault(
    'site.bad_answer',
    `The site gave sites of its network out of their order, at ${place}.`,
  );

const tooMany = (what: string, count: number, limit: number): Fault =>
  new Fault('site.bad_answer', `The site gave ${count} ${what}; ${limit} were asked for.`);

const SaidSchema = z.object({ reason: z.string(), said: z.string() });
const REFUSED = ['request.invalid', 'target.site_missing'];

/** What the network will not do it says in a sentence of its own, and asking again changes nothing. */
const withItsReason =
  (ask: AskSite): AskSite =>
  async (connection, route, request, schema) => {
    try {
      return await ask(connection, route, request, schema);
    } catch (fault) {
      const told = fault instanceof Fault ? SaidSchema.safeParse(fault.detail) : null;
      if (told?.success !== true || !REFUSED.includes(told.data.reason)) throw fault;
      throw new Fault('network.refused', told.data.said, { cause: fault });
    }
  };
