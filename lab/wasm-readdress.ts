/**
 * Replaces texts in the whole SQLite database of a WebAssembly site: how a copy gets its own address.
 *
 * Always true: where text may lie inside serialised values, the caller gives two texts of the same length (every
 *   host:port of the lab has the same length), so their recorded lengths stay right.
 * On failure: throws with PHP's message.
 */
import type { Replacement } from './machine.ts';
import type { Playground } from './wasm-playground.ts';

export async function readdress(
  playground: Playground,
  database: string,
  replacements: readonly Replacement[],
): Promise<void> {
  if (replacements.length === 0) return;
  const input = Buffer.from(JSON.stringify({ database, replacements })).toString('base64');
  const response = await playground.runStream({
    code: `<?php
$input = json_decode( base64_decode( '${input}' ), true );
$db = new PDO( 'sqlite:' . $input['database'], null, null, array( PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION ) );
$db->beginTransaction();
foreach ( $db->query( "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'wp\\_%' ESCAPE '\\'" )->fetchAll( PDO::FETCH_COLUMN ) as $table ) {
	foreach ( $db->query( "PRAGMA table_info(\\"$table\\")" )->fetchAll( PDO::FETCH_ASSOC ) as $column ) {
		if ( false === stripos( $column['type'], 'text' ) ) {
			continue;
		}
		foreach ( $input['replacements'] as list( $from, $to ) ) {
			$db->prepare( "UPDATE \\"$table\\" SET \\"{$column['name']}\\" = replace(\\"{$column['name']}\\", :from, :to) WHERE instr(\\"{$column['name']}\\", :from) > 0" )
				->execute( array( 'from' => $from, 'to' => $to ) );
		}
	}
}
$db->commit();
echo 'done';
`,
  });
  const output = await response.stdoutText;
  if (!output.endsWith('done')) {
    throw new Error(`could not re-address the database: ${output} ${await response.stderrText}`);
  }
}
