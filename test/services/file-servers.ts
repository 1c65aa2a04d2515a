// SFTP and FTP servers of Debian for tests, on ports and in folders of their own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'
import { portAnswers } from './millrace.ts'

/** A server that can be killed and started again on the same port and files. */
export interface FileServer {
  readonly port: number
  /** The folder on this machine that the server shows. */
  readonly folder: string
  /** The same folder as the server names it. */
  readonly path: string
  /** kill -9 of the server and of all its connections. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

export interface SftpServer extends FileServer {
  readonly username: string
  readonly privateKey: string
  readonly fingerprint: string
}

export interface FtpServer extends FileServer {
  readonly certificate: string
  /** The file that it is in. */
  readonly certificateFile: string
}

const SSHD = '/usr/sbin/sshd'
const VSFTPD = '/usr/sbin/vsftpd'

/** Why a server cannot be started here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function fileServerMissing(kind: 'sftp' | 'ftp'): string | null {
  const [program, fix] = kind === 'sftp' ? [SSHD, 'openssh-server'] : [VSFTPD, 'vsftpd']
  if (!existsSync(program)) {
    const message = `${program} is missing; apt-get install ${fix}`
    if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
    console.warn(`SKIPPED: ${message}`)
    return message
  }
  if (kind === 'sftp' || process.getuid?.() === 0) return null
  console.warn('SKIPPED: vsftpd has to be started by root')
  return 'vsftpd has to be started by root'
}

/** A process and all that it starts. */
class Server {
  readonly #command: readonly string[]
  readonly #port: number
  #child: ChildProcess | undefined
  #output = ''

  constructor(command: readonly string[], port: number) {
    this.#command = command
    this.#port = port
  }

  async start(): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS
    let child = this.#spawn()
    while (!(await portAnswers(this.#port))) {
      if (performance.now() > deadline) throw new Error(`${child.spawnfile} does not answer: ${this.#output}`)
      await sleep(20)
      // A session that began as the server was killed may have its port for a moment.
      if (child.exitCode !== null) child = this.#spawn()
    }
    this.#child = child
  }

  #spawn(): ChildProcess {
    const [program = '', ...args] = this.#command
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => (this.#output = (this.#output + String(chunk)).slice(-20_000)))
    }
    return child
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    // Sessions are processes of their own, of which some leave the group.
    const sessions = descendants(child.pid)
    for (const pid of [child.pid, ...sessions]) killQuietly(pid)
    await gone
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function descendants(root: number): number[] {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=']).toString().trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  const found: number[] = []
  for (let parents = [root]; parents.length > 0; ) {
    parents = pairs.filter(([, parent]) => parents.includes(parent)).map(([pid]) => pid)
    found.push(...parents)
  }
  return found
}

export async function startSftpServer(): Promise<SftpServer> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-sshd-'))
  const folder = join(root, 'files')
  await mkdir(folder)
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true })
  const [hostKey, userKey] = [join(root, 'host'), join(root, 'user')]
  for (const key of [hostKey, userKey]) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  const port = await freePort()
  const config = join(root, 'sshd_config')
  await writeFile(
    config,
    `ListenAddress 127.0.0.1
Port ${port}
HostKey ${hostKey}
AuthorizedKeysFile ${userKey}.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
MaxStartups 100
Subsystem sftp internal-sftp
`,
  )
  const server = new Server([SSHD, '-D', '-e', '-f', config], port)
  await server.start()
  const listed = execFileSync('ssh-keygen', ['-l', '-E', 'sha256', '-f', `${hostKey}.pub`]).toString()
  return {
    port,
    folder,
    path: folder,
    username: userInfo().username,
    privateKey: await readFile(userKey, 'utf8'),
    fingerprint: listed.split(' ')[1] as string,
    kill: () => server.kill(),
    start: () => server.start(),
    async stop() {
      await server.kill()
      await rm(root, { recursive: true, force: true })
    },
  }
}

export async function startFtpServer(): Promise<FtpServer> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-vsftpd-'))
  // Anonymous sessions run as the user ftp, in a root that it must not be able to write to; a folder in it may be.
  const site = join(root, 'site')
  const folder = join(site, 'files')
  await mkdir(folder, { recursive: true })
  await mkdir(join(root, 'empty'))
  await chmod(root, 0o755)
  const ftp = Number(execFileSync('id', ['-u', 'ftp']).toString())
  await chown(folder, ftp, ftp)
  const [key, certificate] = [join(root, 'key.pem'), join(root, 'certificate.pem')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'].concat([
      '-keyout',
      key,
      '-out',
      certificate,
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
    ]),
    { stdio: 'ignore' },
  )
  const port = await freePort()
  const config = join(root, 'vsftpd.conf')
  await writeFile(
    config,
    `listen=YES
background=NO
listen_address=127.0.0.1
listen_port=${port}
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
anon_root=${site}
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
seccomp_sandbox=NO
ftp_username=ftp
secure_chroot_dir=${join(root, 'empty')}
ssl_enable=YES
allow_anon_ssl=YES
require_ssl_reuse=NO
rsa_cert_file=${certificate}
rsa_private_key_file=${key}
ssl_ciphers=HIGH
xferlog_enable=NO
pasv_min_port=61000
pasv_max_port=65000
`,
  )
  const server = new Server([VSFTPD, config], port)
  await server.start()
  return {
    port,
    folder,
    path: '/files',
    certificate: await readFile(certificate, 'utf8'),
    certificateFile: certificate,
    kill: () => server.kill(),
    start: () => server.start(),
    async stop() {
      await server.kill()
      await rm(root, { recursive: true, force: true })
    },
  }
}
