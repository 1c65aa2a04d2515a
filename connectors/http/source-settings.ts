import type { AuthSettings } from './auth.ts'
import type { ClientSettings } from './client.ts'
import { proxyAt } from './proxy.ts'
import type { HttpSourceConfig } from './source-config.ts'

const REDIRECTS_MAX = 5

/** The client's settings, as the source calls them. */
export function sourceClientSettings(config: HttpSourceConfig): ClientSettings {
  return {
    auth: authOf(config),
    requestsPerSecond: config['http.rate.limit.requests.per.second'],
    maxRedirects: REDIRECTS_MAX,
    connectTimeoutMs: config['http.client.connection.timeout.millis'],
    readTimeoutMs: config['http.client.read.timeout.millis'],
    keepAliveMs: config['http.client.connection.ttl.millis'],
    connections: 1,
    proxy: proxyAt(
      config['http.client.proxy.host'],
      config['http.client.proxy.port'],
      config['http.client.proxy.username'],
      config['http.client.proxy.password'],
    ),
    caFile: config['https.ssl.truststore.location'],
    keyFile: config['https.ssl.keystore.location'],
    keyPassword: config['https.ssl.key.password'],
    trustsAll: config['http.ssl.trust.all.certs'],
    maxBodyBytes: config['http.response.max.bytes'],
    cutsBody: false,
  }
}

function authOf(config: HttpSourceConfig): AuthSettings {
  switch (config['http.auth.type']) {
    case 'Basic':
      return { type: 'basic', user: config['http.auth.user'], password: config['http.auth.password'] }
    case 'OAuth2':
      return {
        type: 'oauth2',
        oauth2: {
          tokenUrl: config['http.auth.oauth2.token.url'],
          clientId: config['http.auth.oauth2.client.id'],
          clientSecret: config['http.auth.oauth2.client.secret'],
          scope: config['http.auth.oauth2.scope'],
          mode: config['http.auth.oauth2.client.mode'],
          grantType: 'client_credentials',
          grantTypeKey: 'grant_type',
          clientIdKey: 'client_id',
          clientSecretKey: 'client_secret',
          tokenProperty: config['http.auth.oauth2.token.property'],
        },
      }
    case 'None':
      return { type: 'none' }
  }
}
