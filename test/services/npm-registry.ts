// A registry of npm packages on this machine: what `npm` and `millrace plugin` ask a registry for, and no more. It signs with
// a key made for the test.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TarFile, writeTar } from '../../src/cli/plugin/tar.ts'

/** How a version is published, beside its package.json. */
export interface Publication {
  /** The files of the package, by path. */
  readonly files?: Readonly<Record<string, string>>
  /** `wrong`: a signature of something else. */
  readonly signature?: 'right' | 'wrong' | 'none'
  /** Attestations as the registry serves them; what they say is built from the integrity. */
  readonly attestations?: (integrity: string) => unknown
}

interface Version {
  readonly packageJson: Record<string, unknown> & { readonly name: string; readonly version: string }
  readonly tarball: Buffer
  readonly integrity: string
  readonly publication: Publication
}

const PUBLISHED = '2026-01-01T00:00:00.000Z'
const KEY_ID = 'SHA256:test'

export class NpmRegistry {
  readonly #versions = new Map<string, Version>()
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  /** Advisories by package, as npm's bulk endpoint answers them. */
  readonly advisories: Record<string, readonly unknown[]> = {}
  /** Called for each tarball before it is sent; a test may keep it waiting. */
  onTarball: (name: string) => Promise<void> = () => Promise.resolve()

  static async start(): Promise<NpmRegistry> {
    const registry = new NpmRegistry()
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async publish(packageJson: Version['packageJson'], publication: Publication = {}): Promise<void> {
    const files = Object.entries({ ...publication.files, 'package.json': JSON.stringify(packageJson) })
    const entries: TarFile[] = files.map(([path, text]) => ({ path: `package/${path}`, content: Buffer.from(text) }))
    const tarball = await writeTar(entries)
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    this.#versions.set(`${packageJson.name}@${packageJson.version}`, { packageJson, tarball, integrity, publication })
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', this.url).pathname).slice(1)
    const json = (body: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (path === '-/npm/v1/keys') return json({ keys: [this.#publicKey()] })
    if (path === '-/npm/v1/security/advisories/bulk') return json(this.advisories)
    const attested = this.#versions.get(path.replace('-/npm/v1/attestations/', ''))
    if (path.startsWith('-/npm/v1/attestations/') && attested) {
      return json(attested.publication.attestations?.(attested.integrity) ?? {})
    }
    const tarball = [...this.#versions.values()].find(({ packageJson }) => path === tarballPath(packageJson))
    if (tarball) {
      await this.onTarball(tarball.packageJson.name)
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      response.end(tarball.tarball)
      return
    }
    const versions = [...this.#versions.values()].filter(({ packageJson }) => packageJson.name === path)
    if (versions.length === 0) return json({ error: 'Not found' }, 404)
    json(this.#packument(path, versions))
  }

  #packument(name: string, versions: readonly Version[]): unknown {
    const latest = versions.at(-1)?.packageJson.version
    return {
      name,
      'dist-tags': { latest },
      versions: Object.fromEntries(versions.map((version) => [version.packageJson.version, this.#manifest(version)])),
      time: Object.fromEntries(versions.map(({ packageJson }) => [packageJson.version, PUBLISHED])),
    }
  }

  #manifest({ packageJson, integrity, publication }: Version): unknown {
    const id = `${packageJson.name}@${packageJson.version}`
    const { signature = 'right', attestations } = publication
    const signed = signature === 'right' ? `${id}:${integrity}` : `${id}:sha512-of-something-else`
    const sig = sign('sha256', Buffer.from(signed), this.#keys.privateKey).toString('base64')
    return {
      ...packageJson,
      dist: {
        tarball: `${this.url}${tarballPath(packageJson)}`,
        integrity,
        signatures: signature === 'none' ? [] : [{ keyid: KEY_ID, sig }],
        ...(attestations ? { attestations: { url: `${this.url}-/npm/v1/attestations/${id}` } } : {}),
      },
    }
  }

  #publicKey(): unknown {
    const key = this.#keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
    return { keyid: KEY_ID, keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256', key, expires: null }
  }
}

function tarballPath({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}/-/${name.split('/').at(-1)}-${version}.tgz`
}
