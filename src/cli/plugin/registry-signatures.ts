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

/** What the registry says of a version, by npm, which knows the registry of a scope and its credentials. */
export async function publishedAs(folder: string, name: string, version: string): Promise<Published> {
  const answer = (await npmJson(folder, ['view', `${name}@${version}`, 'dist', 'time'])) as {
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

/** The registry in which npm looks for a package, with a slash at its end. */
export async function registryOf(folder: string, name: string): Promise<string> {
  const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : null
  const ask = async (key: string) => (await runNpm(folder, ['config', 'get', key])).stdout.trim()
  const own = scope === null ? 'undefined' : await ask(`${scope}:registry`)
  const registry = own === 'undefined' || own === '' ? await ask('registry') : own
  return registry.endsWith('/') ? registry : `${registry}/`
}

/** The keys of a registry; none from one that does not sign. */
export async function registryKeys(registry: string): Promise<readonly RegistryKey[]> {
  const response = await fetchJson(`${registry}-/npm/v1/keys`)
  const keys = (response as { keys?: readonly RegistryKey[] } | null)?.keys
  return Array.isArray(keys) ? keys : []
}

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

/** The signature of one version, and what the registry says of it. */
export async function signatureOf(
  folder: string,
  name: string,
  version: string,
): Promise<{ readonly published: Published | null; readonly report: SignatureReport }> {
  try {
    const published = await publishedAs(folder, name, version)
    const keys = await registryKeys(await registryOf(folder, name))
    return { published, report: checkSignature(name, version, published, keys) }
  } catch (error) {
    if (!(error instanceof NpmError)) throw error
    const detail = isOffline(error) ? `the registry cannot be reached (${error.message})` : error.message
    return { published: null, report: { state: 'unchecked', detail } }
  }
}
