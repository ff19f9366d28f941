import { expect, test } from 'vitest';
import type { Operation, Receipt } from '#contract/messages.ts';
import { Fault, type FaultCode } from '../../errors.ts';
import { installationId } from '../../model/ids.ts';
import type { SitePort } from '../ports.ts';
import { applyBatch } from './apply-batch.ts';

const operations = (count: number): Operation[] =>
  Array.from({ length: count }, (_, index) => ({
    op: `op${index}`,
    uid: '11111111-1111-4111-8111-111111111111',
    source: { url: 'https://shop.test', key: 1 },
    blog: 1,
    id: index + 1,
    kind: 'write',
    create: null,
    fields: {},
  }));
const CONNECTION = {
  installation: installationId('11111111-1111-4111-8111-111111111111'),
  restUrl: 'https://blog.test/wp-json/',
  publicOnly: false,
  credential: { user: 'hub', password: 'secret' },
  hub: { id: '11111111-1111-4111-8111-111111111111', term: 1 },
};
const updated = (op: string): Receipt => ({ op, result: 'updated', fields: {} });
const locked = (op: string): Receipt => ({ op, result: 'busy', reason: 'target.locked' });
const fault = (code: FaultCode) => new Fault(code, 'It failed.');

/** A site that is well, and what it says to a batch. */
class Target {
  /** Operations of each request. */
  readonly asked: string[][] = [];
  readonly receipts = new Map<string, Receipt>();
  readonly suspects = new Set<string>();
  looks = 0;
  well = true;
  readonly #answer: (ops: readonly string[]) => readonly Receipt[];

  constructor(answer: (ops: readonly string[]) => readonly Receipt[]) {
    this.#answer = answer;
  }

  send(batch: readonly Operation[]): Promise<void> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of a site is asked
    const site = {
      status: () => {
        this.looks += 1;
        return this.well ? Promise.resolve({}) : Promise.reject(fault('site.server_error'));
      },
      apply: async (_: unknown, request: { operations: readonly Operation[] }) => {
        const ops = request.operations.map(({ op }) => op);
        this.asked.push(ops);
        return { receipts: this.#answer(ops), done: ops.length };
      },
    } as unknown as SitePort;
    const settle = async (receipts: readonly Receipt[]) => {
      for (const receipt of receipts) this.receipts.set(receipt.op, receipt);
    };
    return applyBatch({ site, connection: CONNECTION, suspects: this.suspects, settle }, batch);
  }

  results(result: Receipt['result']): string[] {
    return [...this.receipts.values()].filter((one) => one.result === result).map(({ op }) => op);
  }
}

const dyingOf = (...ops: string[]): Target =>
  new Target((asked) => {
    if (asked.some((op) => ops.includes(op))) throw fault('site.server_error');
    return asked.map(updated);
  });

test('one of 200 on which the site dies stands alone after about 2·log2 requests', async () => {
  const target = dyingOf('op137');
  await target.send(operations(200));
  expect(target.results('failed')).toEqual(['op137']);
  expect(target.receipts.get('op137')).toMatchObject({ reason: 'target.error' });
  expect(target.results('updated')).toHaveLength(199);
  expect(target.asked.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(200)) + 1);
});

test('a site that is not well itself is not asked for halves', async () => {
  const target = dyingOf('op1');
  target.well = false;
  await expect(target.send(operations(10))).rejects.toMatchObject({ code: 'site.server_error' });
  expect(target.asked).toHaveLength(1);
});

test('a site that fails at everything is left in peace after a few, which are settled', async () => {
  const target = dyingOf(...operations(200).map(({ op }) => op));
  await expect(target.send(operations(200))).rejects.toMatchObject({ code: 'site.server_error' });
  expect(target.results('failed')).toEqual(['op0', 'op1', 'op2', 'op3', 'op4']);
  expect(target.asked.length).toBeLessThanOrEqual(20);
});

test('guilty ones between good ones all stand alone, however many', async () => {
  const guilty = ['op3', 'op30', 'op60', 'op90', 'op120', 'op150', 'op180'];
  const target = dyingOf(...guilty);
  await target.send(operations(200));
  expect(target.results('failed')).toEqual(guilty);
  expect(target.results('updated')).toHaveLength(193);
});

test('what was reached before the site went away is settled', async () => {
  const target = new Target((ops) => {
    if (ops.length > 50 || ops.includes('op150')) throw fault('site.server_error');
    if (ops.includes('op60')) throw fault('site.unreachable');
    return ops.map(updated);
  });
  await expect(target.send(operations(200))).rejects.toMatchObject({ code: 'site.unreachable' });
  expect(target.results('updated')).toHaveLength(50);
});

test('after a time-out everything of the batch goes alone, and others go first', async () => {
  let late = true;
  const target = new Target((ops) => {
    if (late && ops.includes('op2')) throw fault('site.timeout');
    return ops.map(updated);
  });
  await expect(target.send(operations(4))).rejects.toMatchObject({ code: 'site.timeout' });
  expect(target.asked).toHaveLength(1);
  target.asked.length = 0;

  await expect(target.send(operations(6))).rejects.toMatchObject({ code: 'site.timeout' });
  expect(target.asked).toEqual([['op4', 'op5'], ['op0'], ['op1'], ['op2']]);
  expect(target.receipts.get('op2')).toMatchObject({ result: 'failed', reason: 'target.timeout' });
  late = false;
  await target.send(operations(4));
  expect(target.suspects.size).toBe(0);
});

test('a lock that a dead request left behind ends the asking, and the batch goes alone later', async () => {
  let lock = false;
  const target = new Target((ops) => {
    if (lock) return ops.map(locked);
    if (ops.includes('op1')) {
      lock = true;
      throw fault('site.server_error');
    }
    return ops.map(updated);
  });
  await target.send(operations(8));
  expect(target.results('busy')).toHaveLength(8);
  await target.send(operations(8));
  expect(target.asked.at(-1)).toEqual(['op0']);
  lock = false;
  await target.send(operations(8));
  expect(target.results('failed')).toEqual(['op1']);
  expect(target.asked.at(-1)).toEqual(['op2']);
  lock = false;
  await target.send(operations(8).filter(({ op }) => op !== 'op1'));
  expect(target.results('updated')).toHaveLength(7);
  expect(target.suspects.size).toBe(0);
});

test('a lock that was there before is nobody’s fault', async () => {
  const target = new Target((ops) => ops.map(locked));
  await target.send(operations(8));
  expect(target.asked).toHaveLength(1);
  expect(target.suspects.size).toBe(0);
});

test('an answer without a receipt is no answer: it is not asked for ever', async () => {
  const target = new Target(() => []);
  await target.send(operations(1));
  expect(target.asked).toHaveLength(1);
  expect(target.results('failed')).toEqual(['op0']);
});

test('of what a site says twice of one operation the first counts, and what it says of others nothing', async () => {
  const settled: Receipt[] = [];
  const site = {
    apply: async () => ({
      receipts: [updated('op0'), locked('op0'), updated('op7'), updated('op1'), updated('op1')],
      done: 2,
    }),
  };
  const settle = async (receipts: readonly Receipt[]) => {
    settled.push(...receipts);
  };
  await applyBatch(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else of a site is asked
    { site: site as unknown as SitePort, connection: CONNECTION, suspects: new Set(), settle },
    operations(2),
  );
  expect(settled).toEqual([updated('op0'), updated('op1')]);
});
