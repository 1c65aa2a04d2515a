import { readFile } from 'node:fs/promises'
import { ConfigError, type Parsed, type PluginLogger } from '@millrace/sdk'
import {
  type FileSystem,
  FtpFileSystem,
  type FtpTls,
  LocalFileSystem,
  S3FileSystem,
  SftpFileSystem,
} from '../_shared/file-source/index.ts'
import { storeSettings } from '../_shared/s3/index.ts'
import type { placeKeys } from './remote-config.ts'

/** What says where files are. */
export type PlaceConfig = Parsed<typeof placeKeys> & {
  readonly 'file.buffer.size.bytes': number
}

/** What says how an SFTP server is reached. */
export type SftpConfig = Pick<
  PlaceConfig,
  Extract<keyof typeof placeKeys, `sftp.${string}` | `tls.${string}`> | 'connection.timeout.ms'
>

/** For validation, of which the answer tells all. */
export const quiet: PluginLogger = { debug() {}, info() {}, warn() {}, error() {} }

/** Opens files on an SFTP server. */
export async function connectSftp(config: SftpConfig, chunkBytes: number, logger: PluginLogger): Promise<FileSystem> {
  return SftpFileSystem.connect({
    host: config['sftp.host'],
    port: config['sftp.port'],
    username: config['sftp.username'],
    password: config['sftp.password'],
    privateKey: await privateKey(config['tls.pemfile']),
    passphrase: config['tls.passphrase'],
    hostFingerprint: config['sftp.host.fingerprint'],
    timeoutMs: config['connection.timeout.ms'],
    chunkBytes,
    logger,
  })
}

/** Opens the place where the files of a configuration are. Libraries are loaded when they are needed. */
export async function connectTo(config: PlaceConfig, logger: PluginLogger): Promise<FileSystem> {
  const chunkBytes = config['file.buffer.size.bytes']
  const timeoutMs = config['connection.timeout.ms']
  switch (config['file.system']) {
    case 'local':
      return new LocalFileSystem(chunkBytes)
    case 'sftp':
      return connectSftp(config, chunkBytes, logger)
    case 's3':
      return S3FileSystem.connect(storeSettings(config))
    case 'ftp':
    case 'ftps': {
      const secured = config['ftp.tls.implicit'] ? 'implicit' : 'explicit'
      return FtpFileSystem.connect({
        host: config['ftp.host'],
        port: config['ftp.port'],
        username: config['ftp.username'],
        password: config['ftp.password'],
        security: config['file.system'] === 'ftp' ? 'none' : secured,
        tls: trustOf(config),
        timeoutMs,
        chunkBytes,
      })
    }
  }
}

/** Whose certificates are believed. */
export function trustOf(config: Pick<PlaceConfig, 'ftp.tls.ca' | 'ftp.tls.verify'>): FtpTls {
  const ca = config['ftp.tls.ca']
  return { rejectUnauthorized: config['ftp.tls.verify'], ...(ca === '' ? {} : { ca }) }
}

/** The key that an option means: it is the key itself, or the path of its file. */
export async function privateKey(pem: string): Promise<string> {
  if (pem === '' || pem.includes('-----BEGIN')) return pem
  try {
    return await readFile(pem, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(`neither PEM text nor a file that can be read (${code ?? 'unknown'})`, {
      key: 'tls.pemfile',
      cause: error,
    })
  }
}
