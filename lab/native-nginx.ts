/**
 * The nginx configuration of one native site.
 *
 * Always true: passes the `Authorization` header on, as Application Passwords need, unless the host is said to strip
 *   it; writes only into `work`.
 */
import type { Host } from './host.ts';
import { FIREWALL } from './native-programs.ts';

export interface NginxSite {
  readonly port: number;
  readonly tree: string;
  readonly phpFpmSocket: string;
  readonly multisite: boolean;
  /** A prefix for nginx's own temporary files. */
  readonly work: string;
  readonly host: Host;
  /** The file with the firewall's rules, where there is one. */
  readonly firewallRules: string | null;
}

export function nginxConfiguration(site: NginxSite): string {
  const asRoot = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${site.work}-${kind};`)
    .join(' ');
  const { nginx = {}, parameters = {} } = site.host;
  return `${site.firewallRules === null ? '' : `load_module ${FIREWALL.module};`}
${asRoot}
worker_processes 1;
events { worker_connections 256; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  server_tokens off;
  client_max_body_size 64m;
  ${temporary}
  ${nginx.http ?? ''}
  ${site.firewallRules === null ? '' : `modsecurity on; modsecurity_rules_file ${site.firewallRules};`}
  server {
    listen 127.0.0.1:${site.port};
    root ${site.tree};
    index index.php;
    ${nginx.server ?? ''}
    ${site.multisite ? SUB_SITES : ''}
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ {
      ${parametersOf({ ...PARAMETERS, ...parameters })}
      ${nginx.php ?? ''}
      fastcgi_pass unix:${site.phpFpmSocket};
      fastcgi_read_timeout 300;
    }
  }
}
`;
}

/** The rules of a network in sub-directories, as WordPress's handbook gives them. */
const SUB_SITES = `if (!-e $request_filename) {
      rewrite /wp-admin$ $scheme://$http_host$uri/ permanent;
      rewrite ^/[^/]+(/wp-(content|admin|includes).*) $1 last;
      rewrite ^/[^/]+(/[^/]*\\.php)$ $1 last;
    }`;

/**
 * Not the system's fastcgi_params: Debian's gives PHP the host without its port, and a network on a port of its own
 * then redirects for ever.
 */
const PARAMETERS: Readonly<Record<string, string>> = {
  QUERY_STRING: '$query_string',
  REQUEST_METHOD: '$request_method',
  CONTENT_TYPE: '$content_type',
  CONTENT_LENGTH: '$content_length',
  SCRIPT_FILENAME: '$document_root$fastcgi_script_name',
  SCRIPT_NAME: '$fastcgi_script_name',
  REQUEST_URI: '$request_uri',
  DOCUMENT_URI: '$document_uri',
  DOCUMENT_ROOT: '$document_root',
  SERVER_PROTOCOL: '$server_protocol',
  REQUEST_SCHEME: '$scheme',
  GATEWAY_INTERFACE: 'CGI/1.1',
  SERVER_SOFTWARE: 'nginx',
  REMOTE_ADDR: '$remote_addr',
  REMOTE_PORT: '$remote_port',
  SERVER_ADDR: '$server_addr',
  SERVER_PORT: '$server_port',
  SERVER_NAME: '$server_name',
  HTTP_HOST: '$http_host',
  HTTP_AUTHORIZATION: '$http_authorization',
  REDIRECT_STATUS: '200',
};

function parametersOf(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `fastcgi_param ${name} ${value === '' ? '""' : value};`)
    .join('\n      ');
}
