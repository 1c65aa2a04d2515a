import { createPublicKey, verify } from 'node:crypto'
import { runNpm, npmJson, isOffline, NpmError } from './npm.ts'

/** What a registry says of one version: npm's `dist`, and when it was published. */
export interface Published {
  readonly integrity: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
  readonly attestationsUrl: string | null
  readonly publishedMs: number
}

/** A key with which a registry signs. */
export interface RegistryKey {
  readonly keyid: string
  /** The public key, SPKI in base64. */
  readonly key: string
  readonly expires: string | null
}

/** What is known of a signature: `unchecked` says why in `detail`. */
export interface SignatureReport {
  readonly state: 'verified' | 'none' | 'unchecked' | 'invalid'
  readonly detail: string
}

const KEYS_TIMEOUT_MS = 30_000

/** Reads JSON of a registry; null for what it does not have. */
export async function fetchJson(url: string): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(KEYS_TIMEOUT_MS) })
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined
    throw new NpmError(`${new URL(url).origin} does not answer: ${cause?.message ?? String(error)}`, 'FETCH_ERROR')
  }
  if (response.status === 404 || response.status === 400) return null
  if (!response.ok) throw new NpmError(`${url} answers ${response.status}`, `E${response.status}`)
  return response.json()
}

/** Checks a registry's signature of `name@version:integrity`. Pure. */
export function checkSignature(
  name: string,
  version: string,
  published: Published,
  keys: readonly RegistryKey[],
): SignatureReport {
  const id = `${name}@${version}`
  if (keys.length === 0) return { state: 'none', detail: 'the registry does not sign packages' }
  if (published.signatures.length === 0) return { state: 'none', detail: `the registry signs packages, but not ${id}` }
  const message = Buffer.from(`${id}:${published.integrity}`)
  for (const { keyid, sig } of published.signatures) {
    const key = keys.find((one) => one.keyid === keyid)
    if (!key) return { state: 'invalid', detail: `the key ${keyid} of its signature is none of the registry's` }
    if (key.expires !== null && published.publishedMs >= Date.parse(key.expires)) {
      return { state: 'invalid', detail: `the key ${keyid} of its signature had expired before it was published` }
    }
    const publicKey = createPublicKey({ key: Buffer.from(key.key, 'base64'), format: 'der', type: 'spki' })
    if (!verify('sha256', message, publicKey, Buffer.from(sig, 'base64'))) {
      return { state: 'invalid', detail: "its signature is not the registry's: somebody may have tampered with it" }
    }
  }
  return { state: 'verified', detail: '' }
}

/** The registries that npm is configured for, asked once for what does not change between packages. */
export class Registries {
  readonly #folder: string
  readonly #urls = new Map<string, Promise<string>>()
  readonly #keys = new Map<string, Promise<readonly RegistryKey[]>>()

  /** `folder` is the project whose settings of npm count. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** The signature of one version, and what the registry says of it; null when it does not answer. */
  async signatureOf(
    name: string,
    version: string,
  ): Promise<{ readonly published: Published | null; readonly report: SignatureReport }> {
    let published: Published | null = null
    try {
      published = await this.#published(name, version)
      return { published, report: checkSignature(name, version, published, await this.#keysFor(name)) }
    } catch (error) {
      if (!(error instanceof NpmError)) throw error
      const detail = isOffline(error) ? `the registry cannot be reached (${error.message})` : error.message
      return { published, report: { state: 'unchecked', detail } }
    }
  }

  /** The registry of a package, with a slash at its end. */
  urlFor(name: string): Promise<string> {
    const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : ''
    return remembered(this.#urls, scope, async () => {
      const own = scope === '' ? '' : await this.#setting(`${scope}:registry`)
      const url = own === '' ? await this.#setting('registry') : own
      return url.endsWith('/') ? url : `${url}/`
    })
  }

  /** By npm, which knows the registry of a scope and its credentials. */
  async #published(name: string, version: string): Promise<Published> {
    const answer = (await npmJson(this.#folder, ['view', `${name}@${version}`, 'dist', 'time'])) as {
      dist?: { integrity?: string; signatures?: Published['signatures']; attestations?: { url?: string } }
      time?: Record<string, string>
    } | null
    const dist = answer?.dist ?? {}
    return {
      integrity: dist.integrity ?? '',
      signatures: dist.signatures ?? [],
      attestationsUrl: dist.attestations?.url ?? null,
      publishedMs: Date.parse(answer?.time?.[version] ?? '') || 0,
    }
  }

  /** The keys of the registry of a package; none where it does not sign. */
  async #keysFor(name: string): Promise<readonly RegistryKey[]> {
    const url = await this.urlFor(name)
    return remembered(this.#keys, url, async () => {
      const answer = (await fetchJson(`${url}-/npm/v1/keys`)) as { keys?: readonly RegistryKey[] } | null
      return Array.isArray(answer?.keys) ? answer.keys : []
    })
  }

  /** A setting of npm; '' where there is none. */
  async #setting(key: string): Promise<string> {
    const text = (await runNpm(this.#folder, ['config', 'get', key])).stdout.trim()
    return text === 'undefined' ? '' : text
  }
}

function remembered<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? find()
  known.set(key, found)
  return found
}
