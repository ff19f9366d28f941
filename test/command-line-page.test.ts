/**
 * docs/reference/cli.md says what the commands themselves say. It is written by this test:
 * `npx vitest run --project unit command-line-page -u`.
 */
import { expect, test } from 'vitest';
import { runCommandLine } from '#hub/cli/run-command-line.ts';
import { fakeTerminal } from '#hub/cli/test/fake-terminal.ts';
import { ROOT } from './source-files.ts';

interface Help {
  readonly usage: string;
  readonly description: string;
  readonly sections: ReadonlyMap<string, readonly (readonly [term: string, says: string])[]>;
  readonly after: string;
}

async function helpOf(command: readonly string[]): Promise<Help> {
  const terminal = fakeTerminal();
  const loadStartHub = () => Promise.reject(new Error('help starts no hub'));
  expect(await runCommandLine([...command, '--help'], { terminal, loadStartHub })).toBe(0);
  // However wide the terminal is: a wrapped line goes on where its description began.
  const text = terminal.written.out.replaceAll(/\n {10,}(?=\S)/gu, ' ');
  const [usage = '', description = '', ...parts] = text.trim().split(/\n\n+/u);
  const sections = new Map(
    parts.flatMap((part) => {
      const [title = '', ...rows] = part.split('\n');
      const pairs = rows.map((row): [string, string] => {
        const [term = '', ...says] = row.trim().split(/ {2,}/u);
        return [term, says.join(' ')];
      });
      return title.endsWith(':') ? [[title.slice(0, -1), pairs]] : [];
    }),
  );
  const after = parts.find((part) => part.startsWith('Exit codes')) ?? '';
  return { usage: usage.replace('Usage: ', ''), description, sections, after };
}

/** Commands that have no commands of their own, or do something themselves, in the order of the help. */
async function leaves(command: readonly string[] = []): Promise<(readonly string[])[]> {
  const { sections } = await helpOf(command);
  const commands = sections.get('Commands') ?? [];
  if (commands.length === 0) return [command];
  const itself = sections.has('Arguments') ? [command] : [];
  const below = commands.map(([term]) => leaves([...command, term.split(' ')[0] ?? '']));
  return [...itself, ...(await Promise.all(below)).flat()];
}

const escaped = (text: string): string => text.replaceAll('|', '\\|');

function sectionOf(command: readonly string[], help: Help, common: ReadonlySet<string>): string {
  const rows = [...(help.sections.get('Arguments') ?? []), ...(help.sections.get('Options') ?? [])]
    .filter(([term, says]) => !common.has(`${term} ${says}`))
    .map(([term, says]) => `| \`${escaped(term)}\` | ${escaped(says)} |`);
  const table = rows.length === 0 ? '' : `\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  return `## ${command.join(' ')}\n\n${help.description}\n\n\`${help.usage}\`\n${table}`;
}

test('cli.md names every command with its arguments and options', async () => {
  const commands = await leaves();
  expect(commands).toContainEqual(['route', 'add']);
  const status = await helpOf(['status']);
  const shared = (status.sections.get('Options') ?? []).filter(([term]) => !term.includes('idle'));
  const common = new Set(shared.map(([term, says]) => `${term} ${says}`));
  const exits = (await helpOf([])).after.replace('Exit codes: ', '').split(/ · | (?=\d )/u);
  const sections = await Promise.all(
    commands.map(async (command) => sectionOf(command, await helpOf(command), common)),
  );
  const page = `# Command line

\`npx rollcall COMMAND\` from a checkout. What a command says goes to standard output, what goes wrong to standard error: one sentence and the next step.

Commands other than \`serve\`, \`run\` and \`connector build\` ask a running hub. They take

| | |
|---|---|
${shared.map(([term, says]) => `| \`${term}\` | ${says} |`).join('\n')}

Without \`--url\`, ROLLCALL_URL and \`--data\` they look for the hub that runs on \`.rollcall\` in the present folder. \`run\` asks that hub, too, and works on the data folder itself when none is running.

Exit codes:

${exits.map((exit) => `- \`${exit.slice(0, 1)}\` ${exit.slice(2)}`).join('\n')}

${sections.join('\n')}`;
  await expect(page).toMatchFileSnapshot(`${ROOT}docs/reference/cli.md`);
});
