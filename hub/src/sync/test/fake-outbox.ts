/**
 * The outbox of a site in memory: at most one row per living account, one per account that ended.
 *
 * Always true: a row keeps its place while its revision rises; it leaves only when the very revision
 * that was read is acknowledged.
 */
import type { Actor } from '#contract/account-state.ts';
import type { Field } from '../../model/field.ts';
import type { Stamp } from '../../model/stamp.ts';

export interface OutboxRow {
  row: string;
  rev: number;
  id: number;
  kind: 'create' | 'update' | 'delete';
  actor: Actor;
  atMs: number;
  /** The least stamp that an edit can have of which it is to tell. */
  sinceMs: number;
  /** Edits made here that an operation overwrote before the row was acknowledged. */
  overwritten?: Map<Field, Stamp>;
  gone?: { uid: string | null; login: string; stamp: Stamp };
}

const PERSON: Actor = { kind: 'account', id: 1, login: 'admin' };
const ROW_DIGITS = 16;

export class FakeOutbox {
  rows: OutboxRow[] = [];
  head = 0;

  mark(
    id: number,
    kind: 'create' | 'update',
    atMs: number,
    { actor = PERSON, sinceMs = atMs }: { actor?: Actor; sinceMs?: number } = {},
  ): void {
    this.head += 1;
    const present = this.rows.find((row) => row.id === id && row.kind !== 'delete');
    if (present === undefined)
      this.rows.push({ row: this.name(), rev: 1, id, kind, actor, atMs, sinceMs });
    else
      Object.assign(present, { rev: present.rev + 1, actor: together(present.actor, actor), atMs });
  }

  markGone(id: number, gone: NonNullable<OutboxRow['gone']>, atMs: number): void {
    this.head += 1;
    this.drop(id);
    this.rows.push({
      row: this.name(),
      rev: 1,
      id,
      kind: 'delete',
      actor: PERSON,
      atMs,
      sinceMs: atMs,
      gone,
    });
  }

  /** An operation overwrites what was edited here; what was acknowledged waits no more. */
  overwrite(id: number, field: Field, stamp: Stamp): void {
    const row = this.rows.find((one) => one.id === id && one.kind !== 'delete');
    if (row === undefined || stamp[0] < row.sinceMs) return;
    row.overwritten = new Map(row.overwritten).set(field, stamp);
    row.rev += 1;
  }

  /** What waited of an account that is no more; its end stays. */
  drop(id: number): void {
    this.rows = this.rows.filter((row) => row.id !== id || row.kind === 'delete');
  }

  acknowledge(refs: readonly (readonly [row: string, rev: number])[]): void {
    for (const [row, rev] of refs) {
      this.rows = this.rows.filter((entry) => entry.row !== row || entry.rev !== rev);
    }
  }

  private name(): string {
    return this.head.toString(16).padStart(ROW_DIGITS, '0');
  }
}

/** Somebody else's change waits in the row: it leaves, whoever adds to it. */
function together(before: Actor, actor: Actor): Actor {
  if (before.outgoing_stopped === true) return actor;
  const { outgoing_stopped: _, ...leaves } = actor;
  return leaves;
}
