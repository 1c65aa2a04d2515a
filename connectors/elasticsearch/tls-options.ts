import { readFileSync } from 'node:fs'
import { ConfigError } from '@millrace/sdk'
import type { ElasticsearchConfig } from './config.ts'

/** The options of TLS as Node.js takes them. */
export function tlsOptions(config: ElasticsearchConfig): object {
  const ca =
    config['elastic.https.ssl.truststore.certificates'] ?? file(config, 'elastic.https.ssl.truststore.location')
  const keyStore = file(config, 'elastic.https.ssl.keystore.location')
  const isPem = config['elastic.https.ssl.keystore.type'] === 'PEM'
  return {
    ...(ca ? { ca } : {}),
    ...(keyStore && isPem
      ? { cert: keyStore, key: keyStore, passphrase: config['elastic.https.ssl.key.password'] ?? undefined }
      : {}),
    ...(keyStore && !isPem
      ? { pfx: keyStore, passphrase: config['elastic.https.ssl.keystore.password'] ?? undefined }
      : {}),
    ...(config['elastic.https.ssl.endpoint.identification.algorithm'] === ''
      ? { checkServerIdentity: () => undefined }
      : {}),
  }
}

function file(
  config: ElasticsearchConfig,
  key: 'elastic.https.ssl.truststore.location' | 'elastic.https.ssl.keystore.location',
): Buffer | undefined {
  const path = config[key]
  if (path === null || path === '') return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    throw new ConfigError(`${key}: the file "${path}" cannot be read; check its path and rights`, { key, cause: error })
  }
}
