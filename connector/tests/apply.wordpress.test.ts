import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApplyAnswerSchema, type WriteOperation } from '#contract/messages.ts';
import {
  type ConnectedSite,
  erase,
  fields,
  GOOD_HASH,
  GOOD_PASSWORD,
  HERE,
  HUB,
  parsed,
  past,
  resultsOf,
  signsIn,
  startConnectedSite,
  THERE,
  write,
} from './connected-site.ts';
import { BEST_AND_OLDEST } from './engines.ts';

describe.each(BEST_AND_OLDEST)('$name', (engine) => {
  let hub: ConnectedSite;
  beforeAll(async () => {
    hub = await startConnectedSite('apply', engine);
  });
  afterAll(async () => {
    await hub?.stop();
  });

  /** Creates an account; its operation with the id it got. */
  async function created(
    change: Partial<WriteOperation> & { login?: string } = {},
  ): Promise<WriteOperation & { id: number }> {
    const operation = write(change);
    const receipt = await hub.one(operation);
    expect(receipt.result).toBe('created');
    return { ...operation, create: null, id: receipt.id ?? 0 };
  }
  const php = (code: string): Promise<string> => hub.site.php(code);
  const rolesOf = (id: number): Promise<string> =>
    php(`echo implode( ' ', ( new WP_User( ${id} ) )->roles );`);
  const drain = async (): Promise<void> => {
    const { rows } = await hub.changes();
    await hub.changes(rows.map(({ row, rev }) => [row, rev] as const));
  };

  describe('a create', () => {
    it('makes the account as it is elsewhere, with its stamps', async () => {
      await hub.site.forgetMails();
      const ms = past(50);
      const operation = write({
        fields: {
          ...fields(
            {
              email: 'Greta@Example.com',
              password: GOOD_HASH,
              'meta:phone': ['030 1234'],
              'meta:tags': ['a', ['x', 1, [true]], 'b'],
              'role:author': true,
              'role:subscriber': true,
              'role:contributor': false,
            },
            ms,
          ),
          ...fields({ first_name: "Gr\u00e4ta O'\\N" }, 0),
        },
      });
      const receipt = await hub.one(operation);
      expect(receipt).toMatchObject({ op: operation.op, result: 'created' });
      expect(new Set(Object.values(resultsOf(receipt)))).toEqual(new Set(['applied']));
      const account = await hub.account(receipt.id ?? 0);
      expect(account).toMatchObject({
        uid: operation.uid,
        label_ok: true,
        email: 'Greta@Example.com',
        registered: '2020-01-02 03:04:05',
        born: operation.create?.born,
        roles: {
          '1': { author: { v: true, s: [ms, THERE] }, contributor: { v: false, s: [ms, THERE] } },
        },
      });
      for (const [name, field] of Object.entries(operation.fields)) {
        if (!name.startsWith('role:')) expect(account.fields?.[name]).toEqual(field);
      }
      expect(await signsIn(hub.site, receipt.login ?? '', GOOD_PASSWORD)).toBe('yes');
      expect(await signsIn(hub.site, receipt.login ?? '', 'wrong')).toBe('no');
      expect(await hub.site.mails()).toEqual([]);
    });

    it('does not come out as a change of this site', async () => {
      await drain();
      const { id } = await created();
      await hub.account(id);
      expect((await hub.changes()).rows).toEqual([]);
    });

    it('repeated without its receipt, finds the account by its label', async () => {
      const operation = write();
      const first = await hub.one(operation);
      const again = await hub.one(operation);
      expect(again).toMatchObject({ result: 'unchanged', id: first.id });
      expect(new Set(Object.values(resultsOf(again)))).toEqual(new Set(['same']));
    });

    it('that was killed halfway is finished by its repetition', async () => {
      const operation = write({
        fields: {
          ...fields({ email: 'killed@example.com', 'role:author': true }, past(50)),
          ...fields({ 'meta:phone': ['1', '2'], last_name: 'Zero' }, 0),
        },
      });
      await hub.option('test_die', '1');
      await expect(hub.one(operation)).rejects.toThrow();
      const receipt = await hub.one(operation);
      expect(receipt.result).toBe('created');
      const account = await hub.account(receipt.id ?? 0);
      expect(account.fields?.['meta:phone']).toEqual({ v: ['1', '2'], s: [0, THERE] });
      expect(account.roles?.['1']?.['author']?.v).toBe(true);
      expect(account.born).toEqual(operation.create?.born);
      expect((await hub.one(operation)).result).toBe('unchanged');
    });

    it('gives the default role only when no role that it may give came', async () => {
      const create = (login: string): WriteOperation['create'] => ({
        login,
        registered: '2020-01-02 03:04:05',
        born: [past(90), THERE],
        default_role: true,
      });
      await drain();
      const bare = await created({
        create: create('bare'),
        fields: fields({ email: 'bare@example.com', 'role:editor': true }, past(50)),
      });
      const author = await created({
        create: create('author-too'),
        fields: fields({ email: 'at@example.com', 'role:author': true }, past(50)),
      });
      expect(await rolesOf(bare.id)).toBe('subscriber');
      expect(await rolesOf(author.id)).toBe('author');
      // Nobody decided it, so it must not travel back.
      expect((await hub.account(bare.id)).roles?.['1']?.['subscriber']).toEqual({
        v: true,
        s: [0, HERE],
      });
      expect((await hub.changes()).rows).toEqual([]);
    });

    it('in the way of another account is a conflict, and nothing is created', async () => {
      const there = await created({ login: 'in-the-way' });
      const before = await php('echo count_users()["total_users"];');
      const email = await hub.one(
        write({ login: 'other-1', fields: fields({ email: 'IN-the-way@example.com' }, past(1)) }),
      );
      expect(email).toMatchObject({
        result: 'conflict',
        reason: 'identity.email_taken',
        found: {
          by: 'email',
          id: there.id,
          uid: there.uid,
          login: 'in-the-way',
          privileged: false,
        },
      });
      const login = await hub.one(
        write({ login: 'In-The-Way', fields: fields({ email: 'free@example.com' }, past(1)) }),
      );
      expect(login).toMatchObject({
        result: 'conflict',
        reason: 'identity.login_taken',
        found: { by: 'login', id: there.id },
      });
      expect(await php('echo count_users()["total_users"];')).toBe(before);
    });

    it.each([
      [
        'a login that WordPress would alter',
        write({ login: 'b<i>ad</i>', fields: fields({ email: 'bad@example.com' }, 1) }),
        'login.malformed',
      ],
      [
        'a login that is too long',
        write({ login: 'x'.repeat(61), fields: fields({ email: 'long@example.com' }, 1) }),
        'login.malformed',
      ],
      [
        'an address that WordPress would alter',
        write({ fields: fields({ email: 'a b@example.com' }, 1) }),
        'email.malformed',
      ],
      ['no address', write({ fields: fields({ first_name: 'Nobody' }, 1) }), 'email.missing'],
      ['an account that is not to be created', write({ create: null }), 'target.account_missing'],
      [
        'a birth in the future',
        write({
          create: {
            login: 'unborn',
            registered: '',
            born: [Date.now() + 3_600_000, 1],
            default_role: false,
          },
        }),
        'stamp.in_future',
      ],
    ])('of %s is refused', async (_, operation, reason) => {
      const receipt = await hub.one(operation);
      expect(receipt.reason).toBe(reason);
      expect(receipt.id).toBeUndefined();
    });
  });

  describe('a merge', () => {
    it('takes the newer field, keeps the newer own one, and leaves an equal one', async () => {
      const [old, now, next] = [past(300), past(200), past(100)];
      const { id, uid } = await created({
        login: 'merge',
        fields: fields(
          {
            email: 'merge@example.com',
            first_name: 'A',
            last_name: 'B',
            nickname: 'C',
            description: 'D',
            display_name: 'E',
          },
          now,
        ),
      });
      const receipt = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: {
            ...fields({ first_name: 'newer' }, next),
            ...fields({ last_name: 'older' }, old),
            ...fields({ nickname: 'equal stamps are equal values' }, now),
            ...fields({ description: 'the greater key' }, now, THERE + 1),
            ...fields({ display_name: 'the smaller key' }, now, THERE - 1),
            ...fields({ url: 'http://from-before.test' }, 0),
          },
        }),
      );
      expect(receipt.result).toBe('updated');
      expect(resultsOf(receipt)).toEqual({
        first_name: 'applied',
        last_name: 'kept',
        nickname: 'same',
        description: 'applied',
        display_name: 'kept',
        url: 'kept',
      });
      expect(receipt.fields?.['first_name']).toEqual({
        s: [next, THERE],
        r: 'applied',
        was: [now, THERE],
      });
      expect(receipt.fields?.['last_name']?.s).toEqual([now, THERE]);
      const account = await hub.account(id);
      expect([account.fields?.['first_name']?.v, account.fields?.['last_name']?.v]).toEqual([
        'newer',
        'B',
      ]);
      expect([account.fields?.['description']?.v, account.fields?.['display_name']?.v]).toEqual([
        'the greater key',
        'E',
      ]);
    });

    it('stamps an edit that nobody saw before it merges', async () => {
      const { id, uid } = await created();
      await drain();
      await php(
        `global $wpdb; $wpdb->update( $wpdb->users, array( 'display_name' => 'By SQL' ), array( 'ID' => ${id} ) );`,
      );
      const receipt = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: fields({ display_name: 'Incoming', last_name: 'Fine' }, past(10)),
        }),
      );
      expect(resultsOf(receipt)).toEqual({ display_name: 'kept', last_name: 'applied' });
      const { rows } = await hub.changes();
      expect(rows.map(({ actor, account }) => [actor.kind, account?.id])).toEqual([
        ['outside', id],
      ]);
      expect(rows[0]?.account?.fields?.['display_name']?.v).toBe('By SQL');
    });

    it('refuses a stamp that lies in the future, and takes the others', async () => {
      const { id, uid } = await created();
      const receipt = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: {
            ...fields({ first_name: 'Later' }, Date.now() + 120_000),
            ...fields({ last_name: 'Now' }, Date.now()),
          },
        }),
      );
      expect(resultsOf(receipt)).toEqual({ first_name: 'stamp.in_future', last_name: 'applied' });
    });

    it('changes an e-mail address unless another account has it, and the other fields go on', async () => {
      const taken = await created({ login: 'has-it' });
      const { id, uid } = await created({ login: 'wants-it' });
      const clash = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: fields({ email: 'Has-It@example.com', last_name: 'Goes on' }, past(5)),
        }),
      );
      expect(clash).toMatchObject({ result: 'updated', found: { by: 'email', id: taken.id } });
      expect(resultsOf(clash)).toEqual({ email: 'identity.email_taken', last_name: 'applied' });
      const alone = await hub.one(
        write({ uid, id, create: null, fields: fields({ email: 'has-it@example.com' }, past(4)) }),
      );
      expect(alone).toMatchObject({ result: 'conflict', reason: 'identity.email_taken' });
      const mine = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: fields({ email: 'WANTS-it@example.com' }, past(3)),
        }),
      );
      expect(resultsOf(mine)).toEqual({ email: 'applied' });
      expect((await hub.account(id)).email).toBe('WANTS-it@example.com');
    });

    it('blocks and counts every mail', async () => {
      const { id, uid } = await created();
      await hub.site.forgetMails();
      await hub.option('test_mail', '1');
      const { mails_blocked } = await hub.apply([
        write({ uid, id, create: null, fields: fields({ email: 'moved@example.com' }, past(5)) }),
      ]);
      await hub.option('test_mail', '');
      expect(mails_blocked).toBe(2);
      expect(await hub.site.mails()).toEqual([]);
    });
  });

  describe('roles', () => {
    it('are given and taken one by one, and others are never touched', async () => {
      const { id, uid } = await created({
        fields: fields(
          { email: 'roles@example.com', 'role:author': true, 'role:subscriber': true },
          past(50),
        ),
      });
      await php(
        `add_role( 'forum', 'Forum', array( 'read' => true ) ); ( new WP_User( ${id} ) )->add_role( 'forum' );`,
      );
      const receipt = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: fields({ 'role:author': false, 'role:contributor': true }, past(5)),
        }),
      );
      expect(resultsOf(receipt)).toEqual({
        'role:author': 'applied',
        'role:contributor': 'applied',
      });
      expect((await rolesOf(id)).split(' ').sort()).toEqual(['contributor', 'forum', 'subscriber']);
    });

    it('that are privileged, not grantable or unknown are refused', async () => {
      const { id, uid } = await created();
      await php(`add_role( 'quiet', 'Quiet', array( 'read' => true ) );
      $s = get_site_option( 'rollcall_settings' ); $s['grantable'] = array( 1 => array( 'author', 'subscriber', 'administrator', 'nonsense' ) ); update_site_option( 'rollcall_settings', $s );`);
      const receipt = await hub.one(
        write({
          uid,
          id,
          create: null,
          fields: fields(
            {
              'role:administrator': true,
              'role:editor': true,
              'role:quiet': true,
              'role:nonsense': true,
              'role:nobody-has-it': false,
              'role:author': true,
            },
            past(5),
          ),
        }),
      );
      await php(
        `$s = get_site_option( 'rollcall_settings' ); $s['grantable'] = array(); update_site_option( 'rollcall_settings', $s );`,
      );
      expect(resultsOf(receipt)).toEqual({
        'role:administrator': 'role.not_grantable',
        'role:editor': 'role.not_grantable',
        'role:quiet': 'role.not_grantable',
        'role:nonsense': 'role.unknown',
        'role:nobody-has-it': 'applied',
        'role:author': 'applied',
      });
      expect(await rolesOf(id)).toBe('author');
    });
  });

  describe('meta', () => {
    it('replaces its rows, however many there are', async () => {
      const { id, uid } = await created({
        fields: fields({ email: 'meta@example.com', 'meta:tags': ['one', 'two'] }, past(50)),
      });
      const lists = [
        ['three'],
        ['four "\\\' \u{1F600}'],
        [],
        ['a', 'b', ['c', ['d']]],
        [['only', 1, true, null]],
      ];
      for (const [i, list] of lists.entries()) {
        const receipt = await hub.one(
          write({ uid, id, create: null, fields: fields({ 'meta:tags': list }, past(40 - i)) }),
        );
        expect(resultsOf(receipt)).toEqual({ 'meta:tags': 'applied' });
        expect((await hub.account(id)).fields?.['meta:tags']?.v).toEqual(list);
      }
    });

    it('that could become an object, is never synced, or is not watched is refused', async () => {
      const { id, uid } = await created();
      const before = await php(`echo wp_json_encode( get_user_meta( ${id} ) );`);
      const receipt = await hub.one({
        ...write({ uid, id, create: null }),
        fields: {
          ...fields(
            {
              'meta:wp_capabilities': ['a:1:{s:13:"administrator";b:1;}'],
              'meta:session_tokens': ['x'],
              'meta:rollcall_creating': ['x'],
              'meta:unwatched': ['x'],
              'meta:phone': ['O:8:"stdClass":0:{}'],
              'meta:tags': [['a:0:{}']],
              'meta:city': 'not a list',
              'ext:points': 5,
              nickname: 5,
              url: `http://${'x'.repeat(200)}.test`,
            },
            past(5),
          ),
        },
      });
      expect(receipt.result).toBe('refused');
      expect(resultsOf(receipt)).toEqual({
        'meta:wp_capabilities': 'field.never_synced',
        'meta:session_tokens': 'field.never_synced',
        'meta:rollcall_creating': 'field.never_synced',
        'meta:unwatched': 'field.not_watched',
        'meta:phone': 'value.serialized',
        'meta:tags': 'value.serialized',
        'meta:city': 'value.malformed',
        'ext:points': 'field.unknown',
        nickname: 'value.malformed',
        url: 'value.malformed',
      });
      const object = {
        ...write({ uid, id, create: null }),
        fields: { 'meta:tags': { v: [{ a: 1, 7: 2 }], s: [past(4), THERE] } },
      };
      const answer = await hub.post('apply', { hub: HUB, dry_run: false, operations: [object] });
      const [told] = parsed(ApplyAnswerSchema, answer).receipts;
      expect(told && resultsOf(told)).toEqual({ 'meta:tags': 'value.object' });
      expect(await php(`echo wp_json_encode( get_user_meta( ${id} ) );`)).toBe(before);
    });
  });

  describe('another plugin', () => {
    it('that alters a field is reported once, and the field does not come back', async () => {
      const { id, uid } = await created();
      await drain();
      await hub.option('test_alter', '1');
      const operation = write({
        uid,
        id,
        create: null,
        fields: fields({ first_name: 'quiet', last_name: 'Same' }, past(5)),
      });
      const receipt = await hub.one(operation);
      await hub.option('test_alter', '');
      expect(receipt.result).toBe('altered');
      expect(resultsOf(receipt)).toEqual({ first_name: 'altered', last_name: 'applied' });
      expect((await hub.account(id)).fields?.['first_name']).toEqual({
        v: 'QUIET',
        s: operation.fields['first_name']?.s,
      });
      expect((await hub.changes()).rows).toEqual([]);
      expect((await hub.one(operation)).result).toBe('unchanged');
    });

    it('that changes something else makes a change of this site', async () => {
      const { id, uid } = await created();
      await drain();
      await hub.option('test_side_effect', 'effect');
      const stamp = past(5);
      await hub.one(
        write({ uid, id, create: null, fields: fields({ last_name: 'Trigger' }, stamp) }),
      );
      await hub.option('test_side_effect', '');
      const { rows } = await hub.changes();
      expect(rows.map(({ kind, account }) => [kind, account?.id])).toEqual([['update', id]]);
      const { fields: now } = rows[0]?.account ?? {};
      expect(now?.['meta:city']?.v).toEqual(['Side effect']);
      expect(now?.['meta:city']?.s[1]).toBe(HERE);
      expect(now?.['last_name']?.s).toEqual([stamp, THERE]);
    });

    it('T209: what somebody saves in the middle of an apply stays, a password too', async () => {
      const { id, uid } = await created({
        fields: fields({ email: 'meanwhile@example.com', description: 'Ours' }, past(50)),
      });
      await drain();
      const arriving = fields({ nickname: 'Arrived', display_name: 'Arrived' }, past(5));
      await hub.option('test_meanwhile', '1');
      const receipt = await hub.one(write({ uid, id, create: null, fields: arriving }));
      await hub.option('test_meanwhile', '');
      expect(resultsOf(receipt)).toEqual({ nickname: 'applied', display_name: 'applied' });
      const row = await php(`$u = get_userdata( ${id} );
        echo "$u->user_pass $u->user_url $u->description $u->nickname $u->display_name";`);
      expect(row).toBe('theirs https://theirs.test Theirs Arrived Arrived');
      // They are this site's own changes, and leave it.
      const now = (await hub.changes()).rows.find(({ account }) => account?.id === id)?.account;
      expect(now?.fields).toMatchObject({ url: { s: [expect.any(Number), HERE] } });
      expect(now?.fields).toMatchObject({
        description: { v: 'Theirs', s: [expect.any(Number), HERE] },
      });
      expect(now?.fields?.['nickname']?.s[1]).toBe(THERE);
      await drain();
    });

    it('T210: that kills an apply halfway makes no edit of this site out of it', async () => {
      const old = fields({ email: 'midway@example.com', nickname: 'Old' }, past(50));
      const { id, uid } = await created({ fields: old });
      await drain();
      const stamp = past(5);
      const arriving = fields({ nickname: 'New', 'meta:phone': ['1'], 'role:author': true }, stamp);
      const operation = write({ uid, id, create: null, fields: arriving });
      await hub.option('test_die_midway', '1');
      await expect(hub.one(operation)).rejects.toThrow();
      const halfway = await hub.account(id);
      expect(halfway.fields?.['nickname']).toEqual({ v: 'New', s: [stamp, THERE] });
      expect(halfway.fields?.['meta:phone']?.v ?? []).toEqual([]);
      expect((await hub.changes()).rows).toEqual([]);
      expect(resultsOf(await hub.one(operation))).toEqual({
        nickname: 'same',
        'meta:phone': 'applied',
        'role:author': 'applied',
      });
      const now = await hub.account(id);
      expect(now.fields?.['meta:phone']).toEqual({ v: ['1'], s: [stamp, THERE] });
      expect(now.roles?.['1']?.['author']).toEqual({ v: true, s: [stamp, THERE] });
      // What somebody makes of it then is an edit.
      await php(`update_user_meta( ${id}, 'nickname', 'Theirs' );`);
      expect((await hub.account(id)).fields?.['nickname']?.s[1]).toBe(HERE);
      await drain();
    });

    it('that throws fails that operation alone, without telling secrets', async () => {
      const { id, uid } = await created();
      const other = await created();
      await drain();
      const { receipts, done } = await hub.apply([
        write({ uid, id, create: null, fields: fields({ last_name: 'Throw' }, past(5)) }),
        write({
          uid: other.uid,
          id: other.id,
          create: null,
          fields: fields({ last_name: 'Fine' }, past(5)),
        }),
      ]);
      expect(done).toBe(2);
      expect(receipts.map(({ result, reason }) => [result, reason])).toEqual([
        ['failed', 'target.error'],
        ['updated', undefined],
      ]);
      expect(receipts[0]?.message).not.toContain('secret');
      // What was written before the fault is known as the source's, not taken for an edit here.
      expect((await hub.account(id)).fields?.['last_name']?.s[1]).toBe(THERE);
      expect((await hub.changes()).rows).toEqual([]);
    });
  });

  describe('an operation waits or is refused', () => {
    it('while somebody else is saving the account', async () => {
      const { id, uid } = await created();
      await php(`Rollcall_Outbox::open( ${id}, 'update' );`);
      const operation = write({
        uid,
        id,
        create: null,
        fields: fields({ last_name: 'Later' }, past(5)),
      });
      expect(await hub.one(operation)).toMatchObject({ result: 'busy', reason: 'account.busy' });
      expect(await hub.one(erase({ uid, id }))).toMatchObject({ result: 'busy' });
      await php(
        `global $wpdb; $wpdb->query( 'UPDATE ' . Rollcall_Tables::outbox() . ' SET opened_ms = opened_ms - 60000' );`,
      );
      expect((await hub.one(operation)).result).toBe('updated');
      await drain();
    });

    it('while another batch is being applied', async () => {
      const operation = write();
      await php(
        `global $wpdb; $wpdb->insert( Rollcall_Tables::facts(), array( 'name' => 'lock:apply', 'value' => 'other', 'counter' => ( time() + 60 ) * 1000 ) );`,
      );
      expect(await hub.one(operation)).toMatchObject({ result: 'busy', reason: 'target.locked' });
      await php(
        `global $wpdb; $wpdb->update( Rollcall_Tables::facts(), array( 'counter' => ( time() - 1 ) * 1000 ), array( 'name' => 'lock:apply' ) );`,
      );
      expect((await hub.one(operation)).result).toBe('created');
    });

    it('when id and label disagree', async () => {
      const mine = await created();
      const other = await created();
      const change = { create: null, fields: fields({ last_name: 'Wrong' }, past(5)) };
      expect((await hub.one(write({ ...change, uid: mine.uid, id: other.id }))).reason).toBe(
        'identity.label_mismatch',
      );
      expect((await hub.one(write({ ...change, id: mine.id }))).reason).toBe(
        'identity.label_mismatch',
      );
      expect((await hub.one(write({ ...change, id: 999_999 }))).reason).toBe(
        'target.account_missing',
      );
      await php(
        `global $wpdb; $wpdb->update( $wpdb->users, array( 'user_registered' => '2001-01-01 00:00:00' ), array( 'ID' => ${mine.id} ) );`,
      );
      expect((await hub.one(write({ ...change, uid: mine.uid, id: mine.id }))).reason).toBe(
        'identity.label_mismatch',
      );
      expect((await hub.one(erase({ uid: mine.uid, id: mine.id }))).reason).toBe(
        'identity.label_mismatch',
      );
    });
  });

  describe('a batch', () => {
    it('stops when its time is up, and says where', async () => {
      const operations = [write(), write(), write()];
      await hub.option('test_no_time', '1');
      const first = await hub.apply(operations);
      await hub.option('test_no_time', '');
      expect([first.done, first.receipts.length]).toEqual([1, 1]);
      const rest = await hub.apply(operations);
      expect(rest.receipts.map(({ result }) => result)).toEqual([
        'unchanged',
        'created',
        'created',
      ]);
    });

    it('that is a dry run decides everything and writes nothing', async () => {
      const there = await created({
        fields: fields({ email: 'dry@example.com', last_name: 'Before' }, past(50)),
      });
      const dump = `global $wpdb; $all = array();
      foreach ( array( $wpdb->users, $wpdb->usermeta, Rollcall_Tables::accounts(), Rollcall_Tables::outbox(), Rollcall_Tables::tombstones() ) as $table ) { $all[] = $wpdb->get_results( "SELECT * FROM $table" ); }
      echo md5( wp_json_encode( $all ) );`;
      await php(
        `global $wpdb; $wpdb->update( $wpdb->users, array( 'user_url' => 'http://unseen.test' ), array( 'ID' => ${there.id} ) );`,
      );
      const change = { uid: there.uid, id: there.id, create: null } as const;
      const operations = [
        write({ login: 'dry-new' }),
        write({ login: 'dry-two', fields: fields({ email: 'dry@example.com' }, past(5)) }),
        write({
          ...change,
          fields: fields(
            { last_name: 'After', 'role:editor': true, url: 'http://older.test' },
            past(5),
          ),
        }),
        erase({ uid: there.uid, id: there.id }),
      ];
      const used = await php(dump);
      const { receipts } = await hub.apply(operations, true);
      expect(await php(dump)).toBe(used);
      expect(receipts.map(({ result }) => result)).toEqual([
        'created',
        'conflict',
        'updated',
        'conflict',
      ]);
      expect(receipts[2] && resultsOf(receipts[2])).toEqual({
        last_name: 'applied',
        'role:editor': 'role.not_grantable',
        url: 'kept',
      });
      expect(receipts[3]?.reason).toBe('delete.newer_edit');
    });
  });

  describe('a delete', () => {
    it('ends the account, leaves a tombstone, and no late change revives it', async () => {
      const { id, uid } = await created({ login: 'mortal' });
      await drain();
      const receipt = await hub.one(erase({ uid, id }));
      expect(receipt).toMatchObject({ result: 'deleted', id, login: 'mortal' });
      expect(await php(`echo get_userdata( ${id} ) ? 'there' : 'gone';`)).toBe('gone');
      expect(await hub.one(write({ uid, login: 'mortal' }))).toMatchObject({
        result: 'refused',
        reason: 'identity.deleted',
      });
      expect((await hub.one(erase({ uid, id }))).result).toBe('unchanged');
      expect((await hub.changes()).rows).toEqual([]);
      expect((await hub.one(write({ login: 'mortal' }))).result).toBe('created');
    });

    it('of nobody leaves a tombstone too', async () => {
      const operation = write();
      expect((await hub.one(erase({ uid: operation.uid }))).result).toBe('unchanged');
      expect((await hub.one(operation)).reason).toBe('identity.deleted');
    });

    it('never loses content silently', async () => {
      const { id, uid } = await created();
      const heir = await created({ login: 'heir' });
      const post = await php(
        `echo wp_insert_post( array( 'post_title' => 'Kept', 'post_status' => 'publish', 'post_author' => ${id} ) );`,
      );
      await drain();
      expect((await hub.one(erase({ uid, id }))).reason).toBe('target.content_without_heir');
      expect((await hub.one(erase({ uid, id, reassign: 'nobody' }))).reason).toBe(
        'target.heir_missing',
      );
      expect((await hub.one(erase({ uid, id, reassign: 'heir' }))).result).toBe('deleted');
      expect(await php(`echo get_post( ${post} )->post_author;`)).toBe(String(heir.id));
    });

    it('is held by an edit that is newer', async () => {
      const { id, uid } = await created();
      await drain();
      await php(
        `wp_update_user( array( 'ID' => ${id}, 'last_name' => 'Alive' ) ); Rollcall_Capture::settle_now();`,
      );
      expect(await hub.one(erase({ uid, id, gone: [past(50), THERE] }))).toMatchObject({
        result: 'conflict',
        reason: 'delete.newer_edit',
      });
      await drain();
    });

    it('that only strips takes the roles that it may take, and the account stays', async () => {
      const { id, uid } = await created({
        fields: fields(
          { email: 'strip@example.com', 'role:author': true, 'role:subscriber': true },
          past(50),
        ),
      });
      const gone: [number, number] = [past(5), THERE];
      const receipt = await hub.one(erase({ uid, id, how: 'strip', gone }));
      expect(receipt.result).toBe('updated');
      expect(resultsOf(receipt)).toEqual({
        'role:author': 'applied',
        'role:subscriber': 'applied',
      });
      expect(await rolesOf(id)).toBe('');
      expect((await hub.account(id)).roles?.['1']?.['author']).toEqual({ v: false, s: gone });
      expect((await hub.one(erase({ uid, id, how: 'strip', gone }))).result).toBe('unchanged');
    });
  });

  it('leaves no notice of PHP behind', async () => {
    expect(await hub.site.debugLog()).toBe('');
  });
});
