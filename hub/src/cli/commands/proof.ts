/** `rollcall proof list` and `withdraw`: what people were asked to prove with `link --mail` or `--password`. */
import type { Command } from 'commander';
import {
  type AskedProof,
  AskedProofSchema,
  type ProofList,
  ProofListSchema,
} from '../../api/schemas/proof.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { table } from '../table.ts';
import { visible } from '../visible.ts';

export function addProof(parent: Command, context: CommandContext): void {
  const proof = parent.command('proof').description('what people were asked to prove');
  asksHub(proof.command('list'))
    .description('open ones, and what came of those of the last 30 days')
    .action(async (options: HubOptions) => {
      const list = await hubOf(context, options).get('/links/asked', ProofListSchema);
      const nothing = 'Nobody was asked to prove anything.\n';
      show(context, options, list, () => (list.proofs.length === 0 ? nothing : shown(list)));
    });
  asksHub(proof.command('withdraw'))
    .description('take the question back')
    .argument('<id>', 'id as “proof list” shows it')
    .action(async (id: string, options: HubOptions) => {
      const path = `/links/asked/${encodeURIComponent(id)}/withdraw`;
      const ended = await hubOf(context, options).send('POST', path, {}, AskedProofSchema);
      show(context, options, ended, () => visible(`${stateOf(ended)}\n`));
    });
}

function shown({ proofs }: ProofList): string {
  const rows = proofs.map((proof) => {
    const [one = '', two = ''] = halvesOf(proof);
    return [proof.id, proof.kind, one, two, proof.by, stateOf(proof)];
  });
  return table(['ID', 'BY', 'ONE', 'OTHER', 'ASKED BY', 'STATE'], rows);
}

export const halvesOf = ({ halves }: AskedProof): string[] =>
  halves.map(
    ({ site, login, asked, confirmedAt }) =>
      `${login} on ${site}: ${confirmedAt !== null ? 'confirmed' : asked ? 'asked' : 'not asked yet'}`,
  );

export function stateOf({ ended, message, ends }: AskedProof): string {
  if (ended === null) return `open until ${ends}`;
  return ended === 'proven' ? 'Proven: they are one person.' : `${message ?? ''} (${ended})`;
}
