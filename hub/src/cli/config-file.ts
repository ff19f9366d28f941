/**
 * A configuration as a file: YAML, of which JSON is a part.
 *
 * Always true: no value of the file is repeated in what is said of it: a secret may stand in the wrong place.
 */
import { parseDocument, stringify } from 'yaml';
import { type Config, ConfigSchema } from '../api/schemas/config.ts';
import { usage } from './failure.ts';
import { visible } from './visible.ts';

/** Aliases that stand for aliases make a small file a large one. */
const MOST_ALIASES = 20;
const PROBLEMS_TOLD = 5;
const WIDTH = 100;

export const asYaml = (config: Config): string => stringify(config, { lineWidth: WIDTH });

/** @throws Failure `request.invalid`, with the places of what is wrong */
export function readConfig(text: string, file: string): Config {
  const parsed = ConfigSchema.safeParse(parseYaml(text, file));
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const told = issues.slice(0, PROBLEMS_TOLD).map((issue) => {
    const unknown = issue.code === 'unrecognized_keys' ? 'holds a name that is not known' : null;
    return `${placeOf(issue.path)}: ${unknown ?? issue.message}`;
  });
  const more = issues.length > PROBLEMS_TOLD ? `; and ${issues.length - PROBLEMS_TOLD} more` : '';
  throw usage(
    `${visible(file)}: ${told.join('; ')}${more}.`,
    'Nothing was changed. Correct the file.',
  );
}

function parseYaml(text: string, file: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    const what = error.code === 'DUPLICATE_KEY' ? 'a name is there twice' : 'can’t be read as YAML';
    throw usage(
      `${visible(file)}, line ${line}: ${what}.`,
      'Nothing was changed. Correct the file.',
    );
  }
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch {
    throw usage(`${visible(file)}: too many aliases.`, 'Write the values out.');
  }
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${visible(String(part))}`))
    .join('')
    .replace(/^\./u, '') || 'the file';
