import type { ConfigDef } from '@millrace/sdk'

/** The proxy, whose keys source and sink call differently. */
export const proxyOptions = {
  host: {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The HTTP proxy to go through; empty for none.',
    group: 'Client',
    displayName: 'Proxy host',
  },
  port: {
    type: 'int',
    default: 3128,
    min: 1,
    max: 65_535,
    importance: 'low',
    doc: 'The port of the proxy.',
    group: 'Client',
    displayName: 'Proxy port',
  },
  user: {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The user at the proxy.',
    group: 'Client',
    displayName: 'Proxy user',
  },
  password: {
    type: 'password',
    default: '',
    importance: 'low',
    doc: 'The password at the proxy.',
    group: 'Client',
    displayName: 'Proxy password',
  },
} as const satisfies ConfigDef

/** A client of OAuth2, whose keys source and sink call differently; each adds when they are needed. */
export const oauth2Options = {
  tokenUrl: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'Where tokens are given out.',
    group: 'Authentication',
    displayName: 'Token URL',
  },
  clientId: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The client.',
    group: 'Authentication',
    displayName: 'Client id',
  },
  clientSecret: {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'The secret of the client.',
    group: 'Authentication',
    displayName: 'Client secret',
  },
  scope: {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The scope to ask for.',
    group: 'Authentication',
    displayName: 'Scope',
  },
  tokenProperty: {
    type: 'string',
    default: 'access_token',
    importance: 'low',
    doc: 'The property of the answer that is the token.',
    group: 'Authentication',
    displayName: 'Property of the token',
  },
} as const satisfies ConfigDef
