import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../errors.ts';
import { discoverSite } from './discover.ts';
import { SELF_SIGNED } from './test/self-signed.ts';
import {
  type Behaviour,
  json,
  OURS,
  restFault,
  type StrangeServer,
  strangeServer,
} from './test/strange-server.ts';
import { createWire, WIRE_LIMITS, type Wire } from './wire.ts';

let server: StrangeServer;
let wire: Wire;

beforeEach(async () => {
  server = await strangeServer();
  wire = createWire({ ...WIRE_LIMITS, totalMs: 2_000 });
});
afterEach(async () => {
  await wire.close();
  await server.close();
});

const index = {
  name: 'Shop',
  namespaces: ['wp/v2', 'rollcall/v1'],
  authentication: { 'application-passwords': { endpoints: {} } },
};

/** A WordPress in the folder `home` of the server, announcing its REST root on every page. */
function wordPress(
  options: {
    home?: string;
    plain?: boolean;
    announces?: 'header' | 'element' | 'nowhere';
    index?: unknown;
  } = {},
): Behaviour {
  const { home = '/', plain = false, announces = 'header' } = options;
  const root = plain ? `${home}index.php?rest_route=/` : `${home}wp-json/`;
  return ({ url }, answer) => {
    const { pathname, searchParams } = new URL(url, server.url);
    const asked = plain ? searchParams.get('rest_route') === '/' : pathname === `${home}wp-json/`;
    if (asked) return json(answer, 200, options.index ?? index);
    const link = `<${server.url}${root}>; rel="https://api.w.org/"`;
    answer.writeHead(pathname.startsWith(home) && !plain ? 200 : 404, {
      'content-type': 'text/html',
      ...(announces === 'header' ? { link } : {}),
    });
    const href = `${server.url}${root}`;
    answer.end(
      announces === 'element'
        ? `<head><link rel='https://api.w.org/' href='${href}' /></head>`
        : '',
    );
  };
}

async function codeOf(typed: string): Promise<string> {
  try {
    await discoverSite(wire, typed);
    return 'found';
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

describe('the REST root is found', () => {
  it.each(['', '/', '/some/page/?preview=1', '/wp-admin/'])('from “%s” by header', async (path) => {
    server.behave(wordPress());
    const found = await discoverSite(wire, server.url + path);
    expect(found).toEqual({ restUrl: `${server.url}/wp-json/`, title: 'Shop', publicOnly: false });
  });

  it('without a scheme', async () => {
    server.behave(wordPress());
    const found = await discoverSite(wire, server.url.replace('http://', ''));
    expect(found.restUrl).toBe(`${server.url}/wp-json/`);
  });

  it('by the element in the page where a cache drops the header', async () => {
    server.behave(wordPress({ home: '/blog/', announces: 'element' }));
    expect((await discoverSite(wire, `${server.url}/blog`)).restUrl).toBe(
      `${server.url}/blog/wp-json/`,
    );
  });

  it('by trying the folders above the page where nothing announces it', async () => {
    server.behave(wordPress({ home: '/blog/', announces: 'nowhere' }));
    const { restUrl } = await discoverSite(wire, `${server.url}/blog/2026/a-post/`);
    expect(restUrl).toBe(`${server.url}/blog/wp-json/`);
  });

  it('with plain permalinks', async () => {
    server.behave(wordPress({ plain: true }));
    const { restUrl } = await discoverSite(wire, server.url);
    expect(restUrl).toBe(`${server.url}/index.php?rest_route=/`);
  });

  it('where strangers may not read the index: the connector will answer for itself', async () => {
    server.behave(({ url }, answer) =>
      url.startsWith('/wp-json/')
        ? json(answer, 401, restFault('rest_login_required', 401))
        : answer.writeHead(200).end(),
    );
    expect(await discoverSite(wire, server.url)).toEqual({
      restUrl: `${server.url}/wp-json/`,
      title: '',
      publicOnly: false,
    });
  });

  it('after a redirect on the same host', async () => {
    const site = wordPress({ home: '/en/' });
    server.behave((heard, answer) => {
      if (heard.url === '/') answer.writeHead(301, { location: '/en/' }).end();
      else site(heard, answer);
    });
    expect((await discoverSite(wire, server.url)).restUrl).toBe(`${server.url}/en/wp-json/`);
  });
});

describe('what is wrong is named', () => {
  it.each(['', 'two words', 'ftp://shop.test', 'http://admin:pass@shop.test', 'http://'])(
    '“%s” is no web address',
    async (typed) => {
      expect(await codeOf(typed)).toBe('request.invalid');
    },
  );

  it('no such host', async () => {
    expect(await codeOf('https://nowhere.invalid')).toBe('site.dns');
    expect(await codeOf('nowhere.invalid')).toBe('site.dns');
  });

  it('nobody there', async () => {
    const { url } = server;
    await server.close();
    expect(await codeOf(url)).toBe('site.unreachable');
    expect(await codeOf(url.replace('http://', ''))).toBe('site.unreachable');
    server = await strangeServer();
  });

  it('a bad certificate, and no way around it by http', async () => {
    const secure = await strangeServer(SELF_SIGNED);
    expect(await codeOf(secure.url)).toBe('site.tls');
    expect(await codeOf(secure.url.replace('https://', ''))).toBe('site.tls');
    await secure.close();
  });

  it('no WordPress', async () => {
    server.behave((_, answer) => answer.writeHead(200).end('<h1>It works!</h1>'));
    expect(await codeOf(server.url)).toBe('site.not_wordpress');
    server.behave((_, answer) => json(answer, 200, { hello: 'world' }));
    expect(await codeOf(server.url)).toBe('site.not_wordpress');
  });

  it('a login in front of everything', async () => {
    server.behave((_, answer) => answer.writeHead(401).end());
    expect(await codeOf(server.url)).toBe('site.refused');
  });

  it('a site in maintenance', async () => {
    server.behave((_, answer) => answer.writeHead(503, { 'retry-after': '600' }).end());
    expect(await codeOf(server.url)).toBe('site.server_error');
  });

  it('no connector', async () => {
    server.behave(wordPress({ index: { ...index, namespaces: ['wp/v2'] } }));
    expect(await codeOf(server.url)).toBe('site.no_connector');
  });

  it('Application Passwords switched off', async () => {
    // PHP writes an empty map as a list.
    server.behave(wordPress({ index: { ...index, authentication: [] } }));
    expect(await codeOf(server.url)).toBe('site.app_passwords_off');
  });

  it('a WordPress that does not know that it is reached by https', async () => {
    const secure = await strangeServer(SELF_SIGNED);
    const trusting = createWire({ ...WIRE_LIMITS, totalMs: 2_000 }, { ca: SELF_SIGNED.cert });
    const unaware = { ...index, url: secure.url.replace('https:', 'http:'), authentication: [] };
    secure.behave(wordPress({ index: unaware }));
    const [off, fine] = await Promise.allSettled([
      discoverSite(trusting, secure.url),
      discoverSite(trusting, secure.url).catch((fault: Error) => fault.message),
    ]);
    await trusting.close();
    await secure.close();
    expect(off).toMatchObject({ reason: { code: 'site.app_passwords_off' } });
    expect(fine).toMatchObject({ value: expect.stringContaining('does not know that') });
  });

  it('nothing, where only the index is hidden and the connector answers for itself', async () => {
    server.behave(({ url, method }, answer) => {
      if (method === 'POST' && url === '/wp-json/rollcall/v1/status') {
        return json(answer, 401, restFault('x', 401, 'administrator.credential'), OURS);
      }
      return url.startsWith('/wp-json/')
        ? json(answer, 404, restFault('rest_no_route', 404))
        : answer.writeHead(200).end();
    });
    const found = await discoverSite(wire, server.url);
    expect(found).toMatchObject({ restUrl: `${server.url}/wp-json/`, title: '' });
  });

  it('a redirect to another host, and a circle', async () => {
    server.behave((_, answer) => answer.writeHead(302, { location: 'https://other.test/x' }).end());
    expect(await codeOf(server.url)).toBe('site.redirected');
    server.behave((_, answer) => answer.writeHead(302, { location: '/' }).end());
    expect(await codeOf(server.url)).toBe('site.redirected');
  });

  it('an announced root on another host is not believed', async () => {
    server.behave((_, answer) =>
      answer
        .writeHead(200, { link: '<https://evil.test/wp-json/>; rel="https://api.w.org/"' })
        .end(),
    );
    expect(await codeOf(server.url)).toBe('site.not_wordpress');
  });
});
