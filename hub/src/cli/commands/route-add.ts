/** `rollcall route add`: changes on SOURCE go to TARGET. */
import type { Command } from 'commander';
import { RouteListSchema } from '../../api/schemas/route.ts';
import { asksHub, type CommandContext, type HubOptions, hubOf, show } from '../command-context.ts';
import { visible } from '../visible.ts';
import { consentMissing } from './route-change.ts';
import { type RuleOptions, rulesOf, takesPreset, takesRules } from './route-rules.ts';

interface AddOptions extends HubOptions, RuleOptions {
  readonly both?: boolean;
}

export function addRouteAdd(parent: Command, context: CommandContext): void {
  takesRules(
    takesPreset(asksHub(parent.command('add')))
      .description('let changes on one site go to another')
      .argument('<source>', 'name of the site where changes come from')
      .argument('<target>', 'name of the site where they go')
      .option('--both', 'and back again'),
  ).action(async (source: string, target: string, options: AddOptions) => {
    const { preset } = options;
    const both = options.both === true;
    const named = { source, target, both, rules: rulesOf(options) };
    const body = preset === undefined ? named : { ...named, preset };
    const list = await hubOf(context, options).send('POST', '/routes', body, RouteListSchema);
    show(context, options, list, () =>
      list.routes
        .map(
          (r) =>
            `Route ${r.id}: ${visible(r.source)} → ${visible(r.target)}.\n${consentMissing(r)}`,
        )
        .join(''),
    );
  });
}
