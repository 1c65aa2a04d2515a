import { defineSourceConnector, type SourceTaskContext } from '@millrace/sdk'
import { type FileSystem, FtpFileSystem, SftpFileSystem } from '../_shared/file-source/index.ts'
import { privateKey, trustOf } from './connect.ts'
import { type FtpConfig, ftpConfig, ftpProblems, monitorsOf } from './ftp-config.ts'
import { FtpSourceTask } from './ftp-task.ts'
import { ftpManifest } from './manifest.ts'

const TASK_MONITORS = 'millrace.task.monitors'
const PORTS = { ftp: 21, ftps: 21, sftp: 22 } as const
const CHUNK_BYTES = 131_072

/** Publishes what files on an FTP server hold, whenever they change. */
export default defineSourceConnector({
  name: ftpManifest.name,
  version: ftpManifest.version,
  aliases: ftpManifest.aliases,
  config: ftpConfig,
  validate: ftpProblems,
  taskConfigs(config, maxTasks, raw) {
    const count = Math.min(maxTasks, monitorsOf(config).length)
    return Array.from({ length: count }, (_, index) => ({ ...raw, [TASK_MONITORS]: `${index}/${count}` }))
  },
  createTask(config, context) {
    const [index = 0, count = 1] = (context.raw[TASK_MONITORS] ?? '0/1').split('/').map(Number)
    const monitors = monitorsOf(config).filter((_, at) => at % count === index)
    return new FtpSourceTask({ config, monitors, connect: () => connect(config, context) }, context)
  },
})

async function connect(config: FtpConfig, { logger }: SourceTaskContext): Promise<FileSystem> {
  const protocol = config['connect.ftp.protocol']
  const [, host = '', port = PORTS[protocol]] = /^(.*?)(?::(\d+))?$/.exec(config['connect.ftp.address']) ?? []
  const place = {
    host,
    port: Number(port),
    username: config['connect.ftp.user'],
    password: config['connect.ftp.password'],
    timeoutMs: config['connect.ftp.timeout'],
    chunkBytes: CHUNK_BYTES,
  }
  if (protocol === 'sftp') {
    return SftpFileSystem.connect({
      ...place,
      privateKey: await privateKey(config['tls.pemfile']),
      passphrase: config['tls.passphrase'],
      hostFingerprint: config['sftp.host.fingerprint'],
      logger,
    })
  }
  return FtpFileSystem.connect({
    ...place,
    security: protocol === 'ftps' ? 'explicit' : 'none',
    tls: trustOf(config),
  })
}
