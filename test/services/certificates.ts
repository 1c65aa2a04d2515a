// Certificates for tests of TLS, made by openssl: an authority, a server called localhost, and a client.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireCommand } from './require.ts'

/** Files in PEM form. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
  /** Certificate and key in one file. */
  readonly both: string
}

export interface Certificates {
  readonly folder: string
  /** The certificate of the authority that signed the two others. */
  readonly authority: string
  /** An authority that signed neither. */
  readonly otherAuthority: string
  /** Of `localhost` alone: who connects to 127.0.0.1 has to refuse it. */
  readonly server: KeyPair
  /** Its key is encrypted with `clientKeyPassword`. */
  readonly client: KeyPair
  readonly clientKeyPassword: string
  remove(): Promise<void>
}

/** Whether openssl is missing; says so loudly, and fails instead when MILLRACE_REQUIRE_SERVICES=1. */
export function opensslMissing(): boolean {
  return requireCommand('openssl', 'install it with: apt-get install openssl')
}

/** Makes the certificates in a folder of their own. */
export async function createCertificates(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-certificates-'))
  const clientKeyPassword = 'key-secret'
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  for (const name of ['authority', 'other']) {
    const extensions = ['-addext', 'basicConstraints=critical,CA:true', '-addext', 'keyUsage=keyCertSign']
    const subject = ['-days', '2', '-subj', `/CN=${name} of tests`]
    openssl(
      'req',
      '-x509',
      ...newKey,
      '-nodes',
      ...subject,
      ...extensions,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.crt`,
    )
  }
  const sign = async (name: string, extension: string, key: readonly string[]): Promise<KeyPair> => {
    openssl('req', ...newKey, ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    await writeFile(join(folder, `${name}.ext`), extension)
    const by = ['-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial', '-days', '2']
    openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-extfile', `${name}.ext`, '-out', `${name}.crt`)
    const [certificate, file, both] = [`${name}.crt`, `${name}.key`, `${name}.pem`].map((part) =>
      join(folder, part),
    ) as [string, string, string]
    await writeFile(both, `${await readFile(certificate, 'utf8')}${await readFile(file, 'utf8')}`)
    return { certificate, key: file, both }
  }
  return {
    folder,
    authority: join(folder, 'authority.crt'),
    otherAuthority: join(folder, 'other.crt'),
    server: await sign('localhost', 'subjectAltName=DNS:localhost', ['-nodes']),
    client: await sign('client', 'extendedKeyUsage=clientAuth', ['-passout', `pass:${clientKeyPassword}`]),
    clientKeyPassword,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
