import type { ConfigDef } from '@millrace/sdk'

/** TLS, which source and sink share. */
export const tlsConfig = {
  'https.ssl.truststore.location': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'A file with the certificates to trust, in PEM form; without it those of Node.js are trusted.',
    group: 'TLS',
    displayName: 'Trust store',
  },
  'https.ssl.keystore.location': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'A file with the certificate and the key to show to the server, in PEM form.',
    group: 'TLS',
    displayName: 'Key store',
  },
  'https.ssl.key.password': {
    type: 'password',
    default: null,
    importance: 'low',
    doc: 'The password of the key in the key store.',
    group: 'TLS',
    displayName: 'Key password',
  },
  'http.ssl.trust.all.certs': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether any certificate is trusted. For tests only.',
    group: 'TLS',
    displayName: 'Trust all',
  },
} as const satisfies ConfigDef

/** Why a key of TLS is refused; undefined for those that work. */
export function tlsRefusal(key: string): string | undefined {
  if (key in tlsConfig || !key.startsWith('https.ssl.')) return undefined
  return 'is not supported; trust and keys are set with https.ssl.truststore.location and https.ssl.keystore.location in PEM form'
}
