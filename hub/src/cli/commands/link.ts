/** `rollcall link`: two accounts are one person. An operator says so, or they are asked to prove it. */
import type { Command } from 'commander';
import { ProvenLinkSchema } from '../../api/schemas/held.ts';
import { type AskedProof, AskedProofSchema } from '../../api/schemas/proof.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { parseSpan } from '../duration.ts';
import { usage } from '../failure.ts';
import { visible } from '../visible.ts';

interface LinkOptions extends HubOptions {
  readonly mail?: true;
  readonly password?: true;
  readonly within?: string;
}

interface Pair {
  readonly site: string;
  readonly login: string;
  readonly otherSite: string;
  readonly otherLogin: string;
}

export function addLink(parent: Command, context: CommandContext): void {
  asksHub(parent.command('link'))
    .description('say that two accounts are one person, or ask them to prove it')
    .argument('<site>', 'name of a site')
    .argument('<login>', 'login there')
    .argument('<other-site>', 'name of another site')
    .argument('[other-login]', 'login there, when it is another one')
    .option('--mail', 'link them once a mailed link was confirmed on both sites')
    .option('--password', 'link them once the same password was typed at sign-ins on both sites')
    .option('--within <time>', 'how long that is waited for, up to 7d (default: 3d)')
    .action(
      async (
        site: string,
        login: string,
        otherSite: string,
        otherLogin: string | undefined,
        options: LinkOptions,
      ) => {
        const pair = { site, login, otherSite, otherLogin: otherLogin ?? login };
        if (options.mail === undefined && options.password === undefined) {
          if (options.within !== undefined) throw usage('--within goes with --mail or --password.');
          await say(context, pair, options);
        } else await ask(context, pair, options);
      },
    );
}

async function say(context: CommandContext, pair: Pair, options: LinkOptions): Promise<void> {
  const link = await hubOf(context, options).send('POST', '/links', pair, ProvenLinkSchema);
  show(
    context,
    options,
    link,
    () => `${visible(bothOf(pair))} are one person${link.already ? ' already' : ' from now on'}.\n`,
  );
}

async function ask(context: CommandContext, pair: Pair, options: LinkOptions): Promise<void> {
  if (options.mail === true && options.password === true) {
    throw usage('Either --mail or --password.', 'Each is a proof of its own; ask for one.');
  }
  const body = {
    ...pair,
    kind: options.mail === true ? ('mail' as const) : ('password' as const),
    ...(options.within === undefined
      ? {}
      : { withinSeconds: parseSpan(options.within, '--within') }),
  };
  const proof = await hubOf(context, options).send('POST', '/links/ask', body, AskedProofSchema);
  show(context, options, proof, () => visible(`${asked(proof, pair)}\n`));
}

function asked(proof: AskedProof, pair: Pair): string {
  const how =
    proof.kind === 'mail'
      ? 'a mailed link is confirmed on both sites'
      : 'the same password is typed at sign-ins on both sites';
  const late = proof.halves.filter((half) => !half.asked).map((half) => half.site);
  const waits = late.length === 0 ? '' : ` ${late.join(' and ')} will be asked later.`;
  return `${bothOf(pair)} become one person when ${how} before ${proof.ends}.${waits}`;
}

const bothOf = ({ site, login, otherSite, otherLogin }: Pair): string =>
  `${login} on ${site} and ${otherLogin} on ${otherSite}`;
