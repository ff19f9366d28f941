/** What may befall a site and the way to it, by chance; and how it ends. */
import type { Deed, FaultyDoor } from '#lab/faulty-door.ts';
import type { Site } from '#lab/start-site.ts';
import type { Random } from './random.ts';

/** A must-use plugin: the request that applies next is killed in the middle, once. */
export const KILLED_APPLY = `<?php
add_action( 'profile_update', function () {
	$file = WP_CONTENT_DIR . '/kill-next-apply';
	if ( false !== strpos( $_SERVER['REQUEST_URI'] ?? '', 'rollcall' ) && @unlink( $file ) ) {
		posix_kill( getmypid(), 9 );
	}
}, 1 );`;

export interface Befallen {
  readonly site: Site;
  readonly door: FaultyDoor;
}

const FAULTS = [
  'server error',
  'web page',
  'lost answer',
  'lost question',
  'cut answer',
  'hang',
  'down',
  'killed apply',
] as const;

export interface Fault {
  readonly name: (typeof FAULTS)[number];
  readonly site: string;
  /** So many requests are hit. */
  readonly times: number;
}

const MOST_TIMES = 4;

export const chooseFault = (sites: readonly string[], random: Random): Fault => ({
  site: random.pick(sites),
  name: random.pick(FAULTS),
  times: 1 + random.below(MOST_TIMES),
});

/** @returns what ends it */
export async function befall(
  { site, door }: Befallen,
  { name, times }: Fault,
): Promise<() => Promise<void>> {
  if (name === 'down') {
    await door.shut();
    return () => door.open();
  }
  if (name === 'killed apply') {
    await site.php(`touch( WP_CONTENT_DIR . '/kill-next-apply' );`);
    const end = `@unlink( WP_CONTENT_DIR . '/kill-next-apply' );`;
    return () => site.php(end).then(() => {});
  }
  const rule = door.place({ deed: DEEDS[name], times });
  return async () => {
    rule.lift();
    door.behave();
  };
}

const DEEDS: Readonly<Record<Exclude<(typeof FAULTS)[number], 'down' | 'killed apply'>, Deed>> = {
  'server error': { kind: 'answer', status: 500, body: 'Fatal error' },
  'web page': { kind: 'answer', status: 200, body: '<html>Briefly unavailable</html>' },
  'lost answer': { kind: 'drop', passOn: true },
  'lost question': { kind: 'drop', passOn: false },
  'cut answer': { kind: 'cut' },
  hang: { kind: 'hang', passOn: true },
};
